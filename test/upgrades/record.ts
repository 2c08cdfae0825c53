/**
 * Records the local cloud's host as it is: `npm run -s pulumi -- stack export | node test/upgrades/record.ts 0.2.0`, on a
 * cloud that is thrown away afterwards. Done once for each version that is released; docs/upgrading.md says when.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { checkout, cloudPaths } from "../../local/paths.ts";
import type { CloudInfo } from "../../local/types.ts";
import { pathOf, type Recorded } from "./recorded.ts";

const [version] = process.argv.slice(2);
if (version === undefined || !/^\d+\.\d+\.\d+(-\w+)?$/.test(version))
  throw new Error("Which version? Write it as in package.json: node test/upgrades/record.ts 0.2.0");
const paths = cloudPaths();
const info = JSON.parse(readFileSync(paths.info, "utf8")) as CloudInfo;
const recorded: Recorded = {
  stackFile: readFileSync(join(checkout, "Pulumi.dev.yaml"), "utf8"),
  environment: {
    LOCAL_CLOUD_RESOLVER: info.resolver,
    LOCAL_CLOUD_ROOT_HINTS: info.rootHints,
    LOCAL_CLOUD_TRUST_ANCHOR: info.trustAnchor,
    LOCAL_CLOUD_ACME_CA: info.acmeCa,
    LOCAL_CLOUD_ARCHITECTURE: info.architecture,
  },
  // Where in which checkout a resource was written is nobody's business.
  state: JSON.parse(readFileSync(0, "utf8"), (key, value) =>
    key === "sourcePosition" || key === "stackTrace" ? undefined : value,
  ) as object,
  aws: readFileSync(join(paths.aws, "aws.json"), "utf8"),
  cloudflare: readFileSync(join(paths.cloudflare, "cloudflare.json"), "utf8"),
};
writeFileSync(pathOf(version), gzipSync(JSON.stringify(recorded), { level: 9 }));
