import { createHash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { callSocket } from "../../api.ts";
import { connectionError, runningCloud } from "../cloud.ts";
import type { Properties, Resource } from "../framework.ts";

/** An error of the API; its message is the sentence that the official provider shows. */
export class ApiError extends Error {
  readonly code: string;

  constructor(action: string, code: string, message: string) {
    super(`operation error ${serviceOf(action)}: ${action}, api error ${code}: ${message}`);
    this.name = "ApiError";
    this.code = code;
  }
}

function serviceOf(action: string): string {
  if (/HostedZone|ResourceRecordSets$|^GetChange$/.test(action)) return "Route 53";
  if (/EmailIdentity|agResource$/.test(action)) return "SESv2";
  return /User|AccessKey/.test(action) ? "IAM" : "EC2";
}

export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof ApiError && codes.includes(error.code);
}

/** What is not there, whatever it is. */
export function isNotFound(error: unknown): boolean {
  return (
    error instanceof ApiError &&
    /(\.NotFound|^NotFoundException|^NoSuchEntity|^NoSuchHostedZone)$/.test(error.code)
  );
}

/** Calls of the APIs of EC2, SES and IAM in one region. */
export interface Ec2 {
  readonly region: string;
  call<T = unknown>(action: string, parameters?: object): Promise<T>;
  /** The answer of a call about something that may not be there: undefined where it is not. */
  maybe<T>(action: string, parameters: object): Promise<T | undefined>;
}

/** How long a new object may be invisible to the calls after the one that made it; as the official provider. */
const visibleWithin = 60_000;

export function ec2In(region: string): Ec2 {
  const call = async <T>(action: string, parameters: object = {}): Promise<T> =>
    (await post(`/aws/${action}`, parameters, { "x-region": region }, action)) as T;
  return { region, call, maybe: (action, parameters) => absent(call(action, parameters)) };
}

/**
 * Calls that make one resource. They are repeatable: an `up` that was killed between the cloud's answer and the
 * engine's state finds, when it makes the same resource again, what it had made. And they wait for objects
 * that are not visible yet.
 */
export function creatingEc2(
  region: string,
  resource: Pick<Resource, "urn" | "cancelled">,
  inputs: Properties,
): { ec2: Ec2; made: () => void } {
  const token = createHash("sha256")
    .update(`${resource.urn}\n${canonical(inputs)}`)
    .digest("hex");
  const call = async <T>(action: string, parameters: object = {}): Promise<T> => {
    const until = Date.now() + visibleWithin;
    for (let pause = 50; ; pause = Math.min(pause * 2, 2000)) {
      try {
        const headers = { "x-region": region, "x-client-token": token };
        return (await post(`/aws/${action}`, parameters, headers, action)) as T;
      } catch (error) {
        // An image or a parameter that is not there will not come.
        if (!isNotFound(error) || hasCode(error, "InvalidAMIID.NotFound", "InvalidKeyPair.NotFound"))
          throw error;
        if (Date.now() > until || !(await isVisibleLater())) throw error;
        await delay(pause);
      }
    }
  };
  return {
    ec2: { region, call, maybe: (action, parameters) => absent(call(action, parameters)) },
    made: () => confirmLater(token, resource.cancelled),
  };
}

/** Only an account that is eventually consistent shows later what it does not show now. */
async function isVisibleLater(): Promise<boolean> {
  const switches = (await send("GET", "/aws/switches")) as { visibleAfter?: number };
  return (switches.visibleAfter ?? 0) > 0;
}

async function absent<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** The engine writes its state right after an answer; a second later a made resource is surely known to it. */
const knownAfter = 1000;

/** Tells the cloud, a second from now or at the end of the run, that its answers need not be remembered. */
function confirmLater(token: string, ended: AbortSignal): void {
  const confirm = (): void => {
    clearTimeout(timer);
    ended.removeEventListener("abort", confirm);
    // Where it fails, the answers are dropped after a day.
    send("POST", "/aws/confirm", { tokens: [token] }).catch(() => undefined);
  };
  const timer = setTimeout(confirm, knownAfter).unref();
  ended.addEventListener("abort", confirm);
}

/** JSON with sorted keys, so that equal inputs have one text. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, each) =>
    typeof each === "object" && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([one], [other]) => (one < other ? -1 : 1)))
      : each,
  );
}

async function post(
  path: string,
  body: object,
  headers: Record<string, string>,
  action: string,
): Promise<unknown> {
  const answer = await send("POST", path, body, headers);
  const { Error: failure } = answer as { Error?: { Code: string; Message: string } };
  if (failure !== undefined) throw new ApiError(action, failure.Code, failure.Message);
  return answer;
}

async function send(
  method: "GET" | "POST",
  path: string,
  body?: object,
  headers: Record<string, string> = {},
): Promise<unknown> {
  const { socket } = runningCloud();
  const answer = await callSocket(socket, { method, path, body, headers }).catch((error: Error) => {
    throw connectionError(error);
  });
  return answer.value;
}

/**
 * Asks again until something is so; the official provider waits for states in the same way.
 * @param check answers what was waited for, or undefined
 */
export async function until<T>(
  what: string,
  check: () => Promise<T | undefined>,
  timeout = 600_000,
): Promise<T> {
  const end = Date.now() + timeout;
  for (let pause = 50; ; pause = Math.min(pause * 1.5, 1000)) {
    const found = await check();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error(`timeout while waiting for ${what} (${timeout / 1000} s)`);
    await delay(pause);
  }
}

/** How long a deletion is tried again while something that is on its way out still depends on it. */
const freeWithin = 60_000;

/** The official provider asks again while EC2 answers DependencyViolation, since terminations take a moment. */
export async function whenFree(what: string, work: () => Promise<unknown>): Promise<void> {
  let last: unknown;
  const done = await until(
    `${what} to be free of dependencies`,
    async () => {
      try {
        await work();
        return true;
      } catch (error) {
        if (!hasCode(error, "DependencyViolation")) throw error;
        last = error;
        return undefined;
      }
    },
    freeWithin,
  ).catch((error: unknown) => {
    throw last ?? error;
  });
  if (!done) throw last;
}
