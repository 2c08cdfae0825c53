/** One error of Cloudflare's API: `{ code, message }` in the answer's `errors`, and an HTTP status. */
export class CloudflareError extends Error {
  readonly code: number;
  readonly status: number;

  constructor(code: number, message: string, status = 400) {
    super(message);
    this.name = "CloudflareError";
    this.code = code;
    this.status = status;
  }
}
