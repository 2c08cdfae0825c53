import { ServiceError } from "../apiService.ts";
import type { Action } from "./account.ts";

/** An error as the service's API answers it. EC2's codes: API reference, "Error codes for the Amazon EC2 API". */
export class AwsError extends ServiceError<string> {}

export function dependencies(words: string, id: string): AwsError {
  return new AwsError("DependencyViolation", `The ${words} '${id}' has dependencies and cannot be deleted.`);
}

export function notSimulated(what: string): AwsError {
  return new AwsError("Unsupported", `The local cloud does not simulate ${what}.`);
}

/** EC2's words for parameters that are missing, wrong or unknown. */
const aboutParameters = [
  "MissingParameter",
  "InvalidParameterValue",
  "UnknownParameter",
  "MalformedQueryString",
];

/** Actions of another service, which says with a code of its own that a parameter is not right. */
export function withCode(
  code: string,
  actions: Readonly<Record<string, Action>>,
): Readonly<Record<string, Action>> {
  return Object.fromEntries(
    Object.entries(actions).map(([name, action]): [string, Action] => [
      name,
      async (account, parameters) => {
        try {
          return await action(account, parameters);
        } catch (error) {
          if (error instanceof AwsError && aboutParameters.includes(error.code)) {
            throw new AwsError(code, error.message);
          }
          throw error;
        }
      },
    ]),
  );
}
