import assert from "node:assert/strict";
import type { Ramps } from "../../plan/ramp.ts";
import { weighCommand } from "../../plan/ramps.ts";
import type { Settings } from "../../settings/types.ts";
import { settingsWith } from "../options/settings.ts";

/** A stack whose one domain lets DMARC ramp, with these keys beside it. */
export function rampSettings(keys: Readonly<Record<string, unknown>> = {}): Settings {
  return settingsWith({
    domains: { "example.org": { since: "2026-11-21", mailboxes: { ann: {} }, dmarc: "ramp" } },
    ...keys,
  });
}

/** What the host is asked. */
export interface Question {
  readonly addresses: readonly string[];
  readonly dmarc: Readonly<Record<string, { readonly since: number; readonly relayed: boolean }>>;
  readonly tls: { readonly since: number };
}

export function question(
  settings: Settings,
  ramps: Ramps,
  now: Date,
  addresses: readonly string[] = [],
): Question {
  const command = weighCommand(settings, ramps, now, addresses) ?? assert.fail("nothing ramps");
  const [, json = ""] =
    /^runuser -u reports -- \/usr\/local\/lib\/mailhost\/reports weigh '(.*)' <\/dev\/null$/.exec(command) ??
    [];
  return JSON.parse(json) as Question;
}

/** Since when the reports about example.org count, in seconds. */
export function askedSince(settings: Settings, ramps: Ramps, now: Date): number {
  return question(settings, ramps, now).dmarc["example.org"]?.since ?? assert.fail();
}
