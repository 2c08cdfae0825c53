import * as pulumi from "@pulumi/pulumi";

/** Tags of every AWS resource: which stack it belongs to, for the bill and for whoever finds it. */
export function tags(name: string): Record<string, string> {
  return { Name: name, "mailhost:stack": pulumi.getStack() };
}
