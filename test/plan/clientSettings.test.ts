import assert from "node:assert/strict";
import { it } from "node:test";
import { clientSettings } from "../../plan/clientSettings.ts";
import { hostBundles } from "../../plan/host.ts";
import { hostPorts } from "../../plan/ports.ts";
import { sampleSettings } from "./services/sample.ts";

it("sends mail programs to ports that the host has open", () => {
  const open = new Map(hostPorts(hostBundles(sampleSettings())).map(({ number, name }) => [number, name]));
  const { incoming, outgoing, outgoingAlternative } = clientSettings("mail.example.org");
  assert.deepEqual(
    [incoming, outgoing, outgoingAlternative].map(({ port }) => open.get(port)),
    ["imaps", "submissions", "submission"],
  );
});
