import { createHash } from "node:crypto";
import { CloudflareError } from "./errors.ts";

/** A script as the account holds it. */
export interface WorkerScript {
  /** Module syntax. */
  readonly content: string;
  /** Name of its part in the upload. */
  readonly mainModule: string;
  /** YYYY-MM-DD. */
  readonly compatibilityDate: string;
  readonly createdOn: string;
  readonly modifiedOn: string;
}

/** A host name that leads to a script; field names are the API's. */
export interface WorkerDomain {
  readonly id: string;
  readonly zone_id: string;
  readonly zone_name: string;
  readonly hostname: string;
  readonly service: string;
  readonly environment: "production";
  readonly cert_id: string;
}

/** Bytes of a script on the free plan, compressed; this is before compression, and so the stricter. */
const sizeLimit = 3 * 1024 * 1024;

/** Cloudflare's own words where a script is not there. */
export function noSuchWorker(): CloudflareError {
  return new CloudflareError(10007, "This Worker does not exist on your account.", 404);
}

export function checkScriptName(name: string): void {
  if (!/^[a-z0-9_-]{1,63}$/.test(name) || name.startsWith("-") || name.endsWith("-")) {
    throw new CloudflareError(
      10016,
      "Invalid Worker name. Ensure it is lower case, contains only letters, digits, _ and -, neither begins nor ends with -, and is at most 63 characters long.",
    );
  }
}

const metadataFields = new Set(["main_module", "compatibility_date", "compatibility_flags", "bindings"]);

/**
 * An upload (`multipart/form-data`): a part `metadata`, and the module that it names.
 * @throws CloudflareError where it is no whole one. Whether the script starts is not looked at.
 */
export async function checkUpload(
  form: unknown,
  before: WorkerScript | undefined,
  now: string,
): Promise<WorkerScript> {
  if (!(form instanceof FormData)) {
    throw new CloudflareError(10001, "Content-Type must be one of: multipart/form-data.", 415);
  }
  const metadata = await metadataOf(form);
  for (const field of Object.keys(metadata)) {
    if (!metadataFields.has(field))
      throw new CloudflareError(
        10021,
        `The local cloud does not simulate ${field} of a script: leave it out.`,
      );
  }
  const { main_module: mainModule, compatibility_date: compatibilityDate } = metadata;
  if (typeof mainModule !== "string")
    throw new CloudflareError(10021, "Metadata must contain main_module or body_part.");
  if (
    typeof compatibilityDate !== "string" ||
    !/^\d{4}-\d\d-\d\d$/.test(compatibilityDate) ||
    Number.isNaN(Date.parse(compatibilityDate)) ||
    compatibilityDate > now.slice(0, 10)
  ) {
    throw new CloudflareError(
      10021,
      `Can't set compatibility date: "${String(compatibilityDate)}" is no day, or lies in the future.`,
    );
  }
  const part = form.get(mainModule);
  if (!(part instanceof File))
    throw new CloudflareError(10021, `No such module: the upload has no part "${mainModule}".`);
  if (part.type !== "application/javascript+module") {
    throw new CloudflareError(
      10021,
      `The main module "${mainModule}" has the type "${part.type}"; it must be application/javascript+module.`,
    );
  }
  const content = await part.text();
  if (Buffer.byteLength(content) > sizeLimit)
    throw new CloudflareError(10027, "Your Worker exceeded the size limit of 3 MiB.", 413);
  return { content, mainModule, compatibilityDate, createdOn: before?.createdOn ?? now, modifiedOn: now };
}

async function metadataOf(form: FormData): Promise<Readonly<Record<string, unknown>>> {
  const part = form.get("metadata");
  try {
    const parsed: unknown = JSON.parse(part instanceof File ? await part.text() : (part ?? ""));
    if (typeof parsed === "object" && parsed !== null) return parsed as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw new CloudflareError(10021, "The part metadata is missing or no JSON.");
}

/** A script as the API shows it. */
export function showScript(name: string, script: WorkerScript) {
  return {
    id: name,
    etag: createHash("sha256").update(script.content).digest("hex"),
    handlers: ["fetch"],
    has_assets: false,
    has_modules: true,
    usage_model: "standard",
    compatibility_date: script.compatibilityDate,
    created_on: script.createdOn,
    modified_on: script.modifiedOn,
    startup_time_ms: 1,
  };
}
