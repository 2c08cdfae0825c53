/**
 * `node local/providers/main.ts NAME ENGINE_ADDRESS`: serves the stand-in provider NAME. The executables that
 * `install.ts` writes start it.
 */
import { type Provider, serve } from "./framework.ts";
import { isProviderName, PROVIDERS } from "./names.ts";

const [name, engineAddress = ""] = process.argv.slice(2);
if (isProviderName(name)) {
  const module: { provider: Provider } = await import(`./${name}/provider.ts`);
  await serve(module.provider, engineAddress);
} else {
  process.stderr.write(`usage: node local/providers/main.ts ${PROVIDERS.join("|")} [engine address]\n`);
  process.exitCode = 2;
}
