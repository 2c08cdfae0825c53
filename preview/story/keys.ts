import type { KeyPair, KeyRotation } from "../../plan/rotation.ts";
import type { Preview } from "../types.ts";
import { name, names } from "../words.ts";
import { type Chapter, type Effect, movedDomains, output, type Risk } from "./chapter.ts";

/**
 * What a step of the rotation means, by the state that a key comes into; `gone` is out of all states. What people notice
 * most comes first.
 */
const meanings = {
  signing: ["in use from now on; the world has known it before", "begins to sign with the next keys"],
  retired: [
    "used no more; its record stays until nothing is on its way that needs it",
    "retires the old ones",
  ],
  published: ["made and published, and not used yet", "publishes those that come after them"],
  revoked: ["void: what is signed with it counts for nothing", "revokes keys"],
  gone: ["gone with its record: nothing is on its way any more that needs it", "removes retired keys"],
} as const;

type Step = keyof typeof meanings;

/** Keys that take turns: DKIM's, and TLS's. */
export function keys(preview: Preview): Chapter {
  const [before, after] = output<KeyRotation>(preview, "keyRotation", {});
  const moved = movedDomains(preview);
  const holders = Object.keys({ ...before, ...after }).filter(
    (holder) => ![...moved.added, ...moved.removed].includes(holder),
  );
  const steps = holders.flatMap((holder) =>
    stepsOf(before[holder] ?? [], after[holder] ?? []).map((step) => ({ ...step, holder })),
  );
  const together = Map.groupBy(steps, ({ step, generation }) => `${step} ${generation}`);
  const order = Object.keys(meanings);
  const sorted = [...together.values()].toSorted(
    ([one], [other]) => order.indexOf(one?.step ?? "") - order.indexOf(other?.step ?? ""),
  );
  const effects = sorted.map((all): Effect => {
    const [{ step, generation } = { step: "published" as Step, generation: "" }] = all;
    const [meaning, short] = meanings[step];
    return {
      short,
      text: `Key rotation: the key ${name(generation)} of ${names(all.map(({ holder }) => holder))} is ${meaning}.`,
    };
  });
  const risks = steps
    .filter(({ step }) => step === "revoked")
    .map(
      ({ holder, generation }): Risk => ({
        title: `The key ${name(generation)} of ${name(holder)} is revoked`,
        text: "Mail on its way that is signed with it fails DKIM.",
      }),
    );
  return { risks, effects };
}

function stepsOf(
  before: readonly KeyPair[],
  after: readonly KeyPair[],
): readonly { readonly step: Step; readonly generation: string }[] {
  const old = new Map(before.map((pair) => [pair.generation, pair.state]));
  const now = new Set(after.map(({ generation }) => generation));
  return [
    ...after.flatMap(({ generation, state }) =>
      old.get(generation) === state ? [] : [{ step: state, generation }],
    ),
    ...before.flatMap(({ generation }) =>
      now.has(generation) ? [] : [{ step: "gone" as const, generation }],
    ),
  ];
}
