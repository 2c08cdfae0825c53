import { ServiceError } from "../apiService.ts";

/** An error as the EC2 API answers it. Codes: EC2 API reference, "Error codes for the Amazon EC2 API". */
export class AwsError extends ServiceError<string> {}

export function dependencies(words: string, id: string): AwsError {
  return new AwsError("DependencyViolation", `The ${words} '${id}' has dependencies and cannot be deleted.`);
}

export function notSimulated(what: string): AwsError {
  return new AwsError("Unsupported", `The local cloud does not simulate ${what}.`);
}
