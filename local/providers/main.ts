/**
 * `node local/providers/main.ts NAME ENGINE_ADDRESS`: serves the stand-in provider NAME. The executables that
 * `install.ts` writes start it. `--attached NAME...`: serves several for one run of the engine (`attached.ts`).
 */
import { listen, type Provider, serve } from "./framework.ts";
import { isProviderName, PROVIDERS, type ProviderName } from "./names.ts";

async function load(name: ProviderName): Promise<Provider> {
  const module: { provider: Provider } = await import(`./${name}/provider.ts`);
  return module.provider;
}

const [name, ...rest] = process.argv.slice(2);
if (name === "--attached" && rest.every(isProviderName)) {
  const ports = rest.map(async (each) => `${each}:${(await listen(await load(each), "")).port}`);
  serve((await Promise.all(ports)).join(","));
} else if (isProviderName(name)) {
  serve(String((await listen(await load(name), rest[0] ?? "")).port));
} else {
  process.stderr.write(
    `usage: node local/providers/main.ts ${PROVIDERS.join("|")} [engine address]\n       node local/providers/main.ts --attached NAME...\n`,
  );
  process.exitCode = 2;
}
