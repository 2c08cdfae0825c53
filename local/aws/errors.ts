/** An error as the EC2 API answers it. Codes: EC2 API reference, "Error codes for the Amazon EC2 API". */
export class AwsError extends Error {
  readonly code: string;
  /** HTTP status. */
  readonly status: number;

  constructor(code: string, message: string, status = 400) {
    super(message);
    this.name = "AwsError";
    this.code = code;
    this.status = status;
  }
}
