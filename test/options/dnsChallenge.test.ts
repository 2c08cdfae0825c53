import assert from "node:assert/strict";
import { it } from "node:test";
import { renewal } from "../../check/items/renewal.ts";
import { fromOutside } from "../../check/outside.ts";
import { hostExits } from "../../plan/egress.ts";
import { recordContent } from "../../plan/facts.ts";
import { hostPackages, hostPorts } from "../../plan/host.ts";
import { makePlan } from "../../plan/plan.ts";
import { plainSecrets } from "../../settings/plainSecrets.ts";
import { target } from "../check/fixtures.ts";
import { plainSecretsOf } from "../noSecrets.ts";
import { settingsWith } from "./settings.ts";

const rfc2136 = { server: "ns1.example.net", key: "mailhost.example.net", secret: "c2VjcmV0IG9mIGEga2V5" };
const dns = { provider: "rfc2136", rfc2136 };
const dnsChallenge = { key: "challenge.example.net", secret: "YSBzbWFsbGVyIGtleSdz" };
const on = { dns, dnsChallenge };

const plan = (keys: Readonly<Record<string, unknown>>) =>
  makePlan(settingsWith(keys), { today: "2026-11-21", rotation: {}, ramps: {} });
