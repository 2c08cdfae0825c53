import { ServiceError } from "../apiService.ts";

/** One error of Cloudflare's API: `{ code, message }` in the answer's `errors`, and an HTTP status. */
export class CloudflareError extends ServiceError<number> {}
