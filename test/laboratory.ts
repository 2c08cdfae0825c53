/** The program as it stands, previewed by the real engine over the simulated services: no machine, no account. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { stringify } from "yaml";
import { ensureEngine } from "../local/engine/engine.ts";
import { pulumiEnvironment } from "../local/engine/pulumi.ts";
import { cloudPaths } from "../local/paths.ts";
import { type Attached, attachProviders } from "../local/providers/attached.ts";
import { PROVIDERS } from "../local/providers/names.ts";
import { collect } from "../local/run.ts";
import { type CloudState, startFakeCloud } from "./local/fake-cloud.ts";

const checkout = join(import.meta.dirname, "..");

/** Fits the passphrase, so that the engine leaves the files as they are. */
const salt = "encryptionsalt: v1:yKQkGY9pAfY=:v1:Iiffg6TmyxOc77TH:emgtT/7BZlSgiCbOTap4zStMNlWmNg==";

export interface EngineRun {
  readonly code: number | null;
  readonly stdout: string;
  /** Both streams. */
  readonly output: string;
  readonly seconds: number;
}

export interface LaboratoryOptions {
  readonly index?: string;
  readonly cloud?: CloudState;
  readonly environment?: Readonly<Record<string, string>>;
}

/** The text of a stack file that is whole, with two domains. @param more settings, by their whole keys */
export const twoDomains = (more: Readonly<Record<string, unknown>> = {}) =>
  stringify({
    config: {
      "aws:region": "eu-central-1",
      "mailhost:hostname": "mail.example.org",
      "mailhost:owner": "ann@example.org",
      "mailhost:ssh": { from: ["203.0.113.7/32"] },
      "mailhost:domains": {
        "example.org": { since: "2026-11-21", mailboxes: { ann: {} } },
        "example.com": { since: "2026-11-21", mailboxes: { carol: {} } },
      },
      ...more,
    },
  });

/** A folder with the program and stack files of the test's own, an engine's home and state, and the cloud behind it. */
export class Laboratory {
  readonly program: string;
  readonly #env: Record<string, string>;
  readonly #pulumi: string;

  private constructor(program: string, env: Record<string, string>, pulumi: string) {
    this.program = program;
    this.#env = env;
    this.#pulumi = pulumi;
  }

  /**
   * @param index the program, instead of the checkout's own
   * @param cloud what the simulated services have in the beginning. @default nothing
   * @param environment variables for the stack files
   */
  static async start(
    t: TestContext,
    { index, cloud: before, environment }: LaboratoryOptions = {},
  ): Promise<Laboratory> {
    const cloud = await startFakeCloud(t, before);
    const folder = mkdtempSync(join(tmpdir(), "mailhost-lab-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const program = join(folder, "program");
    mkdirSync(program);
    for (const name of readdirSync(checkout))
      if (!/^\.|^Pulumi\.\w+\.yaml$/.test(name)) symlinkSync(join(checkout, name), join(program, name));
    if (index !== undefined) {
      rmSync(join(program, "index.ts"));
      writeFileSync(join(program, "index.ts"), index);
    }
    const { pulumi } = await ensureEngine({ cacheDir: cloudPaths().cache, log: console.error });
    const env = {
      ...pulumiEnvironment({
        home: join(folder, "home"),
        backendDir: join(folder, "state"),
        passphrase: "local",
      }),
      ...environment,
      MAILHOST_CLOUD: cloud.folder,
      PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
    };
    return new Laboratory(program, env, pulumi);
  }

  /** The same with a program in another folder. */
  in(program: string): Laboratory {
    return new Laboratory(program, this.#env, this.#pulumi);
  }

  /** A stack of this name, with what its file says beside the salt of its secrets. */
  async stack(name: string, file: string): Promise<void> {
    this.write(name, file);
    const { code, output } = await this.run("stack", "init", name, "--no-select");
    assert.equal(code, 0, output);
  }

  /** A stack that is there already, as its exported state has it. */
  async known(name: string, file: string, state: object): Promise<void> {
    await this.stack(name, file);
    const path = join(this.program, `${name}.json`);
    writeFileSync(path, JSON.stringify(state));
    const { code, output } = await this.run("stack", "import", "--stack", name, "--file", path);
    assert.equal(code, 0, output);
  }

  /** Its file says something else from now on. */
  write(name: string, file: string): void {
    const whole = /^encryptionsalt:/m.test(file) ? file : `${file}\n${salt}\n`;
    writeFileSync(join(this.program, `Pulumi.${name}.yaml`), whole);
  }

  async run(...args: readonly string[]): Promise<EngineRun> {
    const attached: Attached | undefined =
      args[0] === "stack" ? undefined : await attachProviders([...PROVIDERS], this.#env);
    const started = performance.now();
    const child = spawn(this.#pulumi, [...args], {
      cwd: this.program,
      env: { ...this.#env, ...(attached && { PULUMI_DEBUG_PROVIDERS: attached.addresses }) },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const { code, stdout, stderr } = await collect(child);
    const seconds = (performance.now() - started) / 1000;
    await attached?.end();
    return { code, stdout, output: stdout + stderr, seconds };
  }
}
