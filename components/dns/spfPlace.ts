/** The SPF records of a name at who keeps its zone, as somebody else may have put them in: looked at and changed in place. */
import type { Answer } from "dns-packet";
import { ask, authoritiesOf, type DnsAnswer, serverText, valuesOf } from "../../dns/client.ts";
import { Cloudflare } from "../../dns/cloudflare.ts";
import { type TsigKey, update } from "../../dns/update.ts";
import { isSpf } from "../../plan/spf.ts";
import { plainTxt, quoteTxt } from "../../plan/txt.ts";

/** Where a zone is kept. In the state of stacks: a contract, but for the last, which nothing is changed at. */
export type SpfPlace =
  | { readonly provider: "cloudflare"; readonly zoneId: string }
  | {
      readonly provider: "rfc2136";
      readonly zone: string;
      readonly server: string;
      readonly port: number;
      readonly key: Omit<TsigKey, "secret">;
    }
  | { readonly provider: "byHand"; readonly zone: string; readonly resolver: string };

/** An SPF record that stands there. */
export interface StandingSpf {
  /** In one piece, without quotes. */
  readonly text: string;
  /** As its keeper has it, to the letter. */
  readonly written: string;
}

export interface SpfKeeper {
  /** @throws where nobody answers */
  look(): Promise<readonly StandingSpf[]>;
  /**
   * One record in the other's place; all that it has beside its text stays. Neither: nothing is done.
   * @param to as the keeper has it. undefined: it is taken out
   * @throws where it is another meanwhile, or the keeper refuses
   */
  replace(from: StandingSpf | undefined, to: string | undefined): Promise<void>;
}

/** What it takes to get at the places, and is in no state. */
export interface SpfAccess {
  readonly cloudflareToken?: string | undefined;
  readonly cloudflareUrl?: string | undefined;
  readonly tsigSecret?: string | undefined;
}

/** @param ttl seconds of a record that is new there */
export function spfKeeper(place: SpfPlace, name: string, ttl: number, access: SpfAccess): SpfKeeper {
  switch (place.provider) {
    case "cloudflare":
      return atCloudflare(place.zoneId, name, ttl, access);
    case "rfc2136":
      return atServer(place, name, ttl, access.tsigSecret ?? "");
    case "byHand":
      return inTheWorld(place, name);
  }
}

function atCloudflare(
  zoneId: string,
  name: string,
  ttl: number,
  { cloudflareToken: token, cloudflareUrl: url }: SpfAccess,
): SpfKeeper {
  if (!token)
    throw new Error(
      `CLOUDFLARE_API_TOKEN is not set, and the SPF record of ${name} is changed with it. Set it, and run again.`,
    );
  const cloudflare = new Cloudflare({ token, ...(url && { url }) });
  const path = `/zones/${zoneId}/dns_records`;
  const standing = async () =>
    (await cloudflare.recordsAt(zoneId, name, "TXT"))
      .filter((record) => record.type === "TXT" && record.name.toLowerCase() === name)
      .map(({ id, content = "" }) => ({ id, text: plainTxt(content), written: content }))
      .filter(({ text }) => isSpf(text));
  return {
    look: standing,
    replace: async (from, to) => {
      if (from === undefined) {
        if (to !== undefined) await cloudflare.change("POST", path, { name, type: "TXT", ttl, content: to });
        return;
      }
      const there = (await standing()).find(({ written }) => written === from.written);
      if (there === undefined) throw changedMeanwhile(name);
      if (to === undefined) await cloudflare.change("DELETE", `${path}/${there.id}`);
      else await cloudflare.change("PATCH", `${path}/${there.id}`, { name, type: "TXT", content: to });
    },
  };
}

function atServer(
  { zone, server, port, key }: Extract<SpfPlace, { readonly provider: "rfc2136" }>,
  name: string,
  ttl: number,
  secret: string,
): SpfKeeper {
  const changed = { server, port, zone, key: { ...key, secret } };
  const set = async (): Promise<readonly Answer[]> => {
    const answer = await ask(serverText({ server, port }), name, "TXT", {
      recursion: false,
    });
    if (!speaksFor(answer))
      throw new Error(`${server} is not responsible for ${zone}: it answers ${answer.rcode} for TXT ${name}`);
    const found = answer.answers.filter((answer) => answer.name.toLowerCase() === name);
    const isThere = { ...changed, expected: [{ name, type: "TXT", records: "any" } as const] };
    // A wildcard answers for every name below it, and is nothing that stands there.
    return found.length > 0 && (await update({ ...isThere, remove: [], add: [] })) ? found : [];
  };
  const written = ({ data }: Answer & { readonly type: "TXT" }) =>
    [data]
      .flat()
      .map((part) => quoteTxt(String(part)))
      .join(" ");
  const isText = (answer: Answer): answer is Answer & { readonly type: "TXT" } => answer.type === "TXT";
  return {
    look: async () =>
      (await set())
        .filter(isText)
        .map((answer) => ({ text: valuesOf([answer]).join(""), written: written(answer) }))
        .filter(({ text }) => isSpf(text)),
    replace: async (from, to) => {
      if (from === undefined && to === undefined) return;
      const records = await set();
      const out = records.filter((answer) => isText(answer) && written(answer) === from?.written);
      if (from !== undefined && out.length === 0) throw changedMeanwhile(name);
      const [first] = records.filter(isText);
      const strings =
        to === undefined ? [] : [...to.matchAll(/"(?:[^"\\]|\\.)*"/g)].map(([one]) => plainTxt(one));
      const come: Answer = {
        name,
        type: "TXT",
        ttl: first?.ttl ?? ttl,
        data: strings.map((one) => Buffer.from(one)),
      };
      const done = await update({
        ...changed,
        expected: [{ name, type: "TXT", records }],
        remove: out,
        add: to === undefined ? [] : [come],
      });
      if (!done) throw changedMeanwhile(name);
    },
  };
}

/** A zone that somebody keeps by hand: what its nameservers say. */
function inTheWorld(
  { zone, resolver }: Extract<SpfPlace, { readonly provider: "byHand" }>,
  name: string,
): SpfKeeper {
  return {
    look: async () => {
      const said: string[] = [];
      for (const server of await authoritiesOf(zone, resolver)) {
        const answer = await ask(server, name, "TXT", { recursion: false }).catch((error: Error) => error);
        if (answer instanceof Error) said.push(answer.message);
        else if (!speaksFor(answer)) said.push(`${server} answers ${answer.rcode}`);
        else
          return valuesOf(answer.answers)
            .filter(isSpf)
            .map((text) => ({ text, written: quoteTxt(text) }));
      }
      throw new Error(
        `No nameserver of ${zone} says whether ${name} has an SPF record: ${said.join("; ")}. Run again when they answer`,
      );
    },
    replace: () => Promise.reject(new Error(`${zone} is kept by hand`)),
  };
}

/** Whether it is the zone's own word; a failure says nothing of what stands there. */
function speaksFor({ rcode, authoritative }: DnsAnswer): boolean {
  return authoritative && (rcode === "NOERROR" || rcode === "NXDOMAIN");
}

function changedMeanwhile(name: string): Error {
  return new Error(
    `Somebody else is changing the SPF record of ${name}. Nothing was overwritten; run again.`,
  );
}
