/** Each example stack, brought up on a local cloud as it stands, but for what is the cloud's own; the check finds all right. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type Document, parseDocument } from "yaml";
import {
  keepInStack,
  keepStackText,
  nothingLeft,
  previewSteps,
  stackText,
  succeed,
  up,
} from "../e2e/mailhost.ts";
import { smarthost, useRelay } from "../e2e/sending.ts";
import { type Example, examples, examplesEnvironment, exampleText } from "../examples.ts";

const key = (name: string, ...path: readonly string[]) => ["config", `mailhost:${name}`, ...path];

/** Region, architecture, resolver, authority and salt are the local cloud's; its operator is this machine. */
function onLocalCloud(name: Example, local: Document): string {
  const stack = parseDocument(exampleText(name));
  for (const path of [["config", "aws:region"], key("resolver"), key("acme"), ["encryptionsalt"]])
    stack.setIn(path, local.getIn(path));
  const architecture = local.getIn(key("server", "architecture"));
  const type = String(stack.getIn(key("server", "instanceType")));
  stack.setIn(key("server", "architecture"), architecture);
  stack.setIn(key("server", "instanceType"), process.arch === "arm64" ? type : type.replace(/^t4g/, "t3a"));
  stack.setIn(key("ssh"), local.getIn(key("ssh")));
  // The relay is somebody's out there: the local cloud's has another name, and another login.
  stack.deleteIn(key("relay"));
  return stack.toString();
}

Object.assign(process.env, examplesEnvironment);
after(nothingLeft);

for (const name of examples)
  test(`${name} comes up, and the check finds all right`, async (t) => {
    await nothingLeft();
    keepStackText(onLocalCloud(name, parseDocument(stackText())));
    const { seconds } = await succeed(["start"]);
    t.diagnostic(`start: ${seconds.toFixed(0)} s`);
    if (parseDocument(exampleText(name)).hasIn(key("relay"))) {
      const relay = await smarthost();
      keepInStack((stack) => useRelay(stack, relay));
      await up();
    }
    await succeed(["check"]);
    assert.deepEqual(await previewSteps(), []);
  });
