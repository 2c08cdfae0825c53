/** IAM: users, what they may do, and their access keys. */
import { isDeepStrictEqual } from "node:util";
import { smtpPassword } from "../../aws/smtpPassword.ts";
import type { Properties } from "../framework.ts";
import type { Ec2 } from "./client.ts";
import { type ApiTag, awsResource, type CommonInputs, configuration } from "./resource.ts";

interface ApiUser {
  readonly UserName: string;
  readonly UserId: string;
  readonly Arn: string;
  readonly Path: string;
  readonly Tags: readonly ApiTag[];
}

interface UserInputs extends CommonInputs {
  readonly name: string;
  readonly path?: string;
}

export const user = awsResource<UserInputs>({
  isGlobal: true,
  inputs: {
    name: { type: "string", autoname: true },
    path: { type: "string", default: "/" },
    forceDestroy: { type: "boolean" },
  },
  outputs: { arn: { changesWith: ["name", "path"] }, uniqueId: {} },
  unsimulated: ["permissionsBoundary"],
  create: async (ec2, inputs, tags) => {
    const { User } = await ec2.call<{ User: ApiUser }>("CreateUser", {
      UserName: inputs.name,
      Path: inputs.path ?? "/",
      ...tags,
    });
    return User.UserName;
  },
  read: async (ec2, id) => {
    const found = (await ec2.maybe<{ User: ApiUser }>("GetUser", { UserName: id }))?.User;
    return (
      found && {
        outputs: { arn: found.Arn, name: found.UserName, path: found.Path, uniqueId: found.UserId },
        tags: found.Tags,
      }
    );
  },
  update: async (ec2, { id, inputs, changed }) => {
    if (!changed("name") && !changed("path")) return;
    await ec2.call("UpdateUser", { UserName: id, NewUserName: inputs.name, NewPath: inputs.path ?? "/" });
  },
  retag: async (ec2, state, { gone, set }) => {
    const UserName = state.name;
    if (gone.length > 0) await ec2.call("UntagUser", { UserName, TagKeys: gone });
    if (set.length > 0) await ec2.call("TagUser", { UserName, Tags: set });
  },
  delete: async (ec2, id, state) => {
    // As the official provider: out of every group first, and only when forced what somebody else had made.
    await ec2.call("ListGroupsForUser", { UserName: id });
    if (state.forceDestroy === true) {
      for (const key of await keysOf(ec2, id))
        await ec2.call("DeleteAccessKey", { UserName: id, AccessKeyId: key.AccessKeyId });
    }
    await ec2.call("DeleteUser", { UserName: id });
  },
});

interface PolicyInputs extends CommonInputs {
  readonly name: string;
  readonly policy: string;
  readonly user: string;
}

const byName = (id: string) => {
  const at = id.lastIndexOf(":");
  return { UserName: id.slice(0, at), PolicyName: id.slice(at + 1) };
};

async function putPolicy(
  ec2: Ec2,
  { user: UserName, name: PolicyName, policy }: PolicyInputs,
): Promise<void> {
  await ec2.call("PutUserPolicy", { UserName, PolicyName, PolicyDocument: policy });
}

/** Documents that mean the same are the same, however they are written. */
function samePolicy(one: unknown, other: unknown): boolean {
  try {
    return isDeepStrictEqual(JSON.parse(String(one)), JSON.parse(String(other)));
  } catch {
    return false;
  }
}

export const userPolicy = awsResource<PolicyInputs>({
  isGlobal: true,
  inputs: {
    name: { type: "string", autoname: true, replaceOnChange: true },
    policy: { type: "string", required: true },
    user: { type: "string", required: true, replaceOnChange: true },
  },
  outputs: {},
  unsimulated: ["namePrefix"],
  diff: ({ changes, inputs, state }) =>
    changes.filter(({ path }) => path !== "policy" || !samePolicy(inputs.policy, state.policy)),
  create: async (ec2, inputs) => {
    await putPolicy(ec2, inputs);
    return `${inputs.user}:${inputs.name}`;
  },
  read: async (ec2, id) => {
    const { UserName, PolicyName } = byName(id);
    const found = await ec2.maybe<{ PolicyDocument: string }>("GetUserPolicy", { UserName, PolicyName });
    return found && { outputs: { name: PolicyName, policy: found.PolicyDocument, user: UserName } };
  },
  update: (ec2, { inputs }) => putPolicy(ec2, inputs),
  delete: async (ec2, id) => {
    await ec2.call("DeleteUserPolicy", byName(id));
  },
});

interface ApiKey {
  readonly AccessKeyId: string;
  readonly UserName: string;
  readonly Status: string;
  readonly CreateDate: string;
}

async function keysOf(ec2: Ec2, UserName: string): Promise<readonly ApiKey[]> {
  const answer = await ec2.maybe<{ AccessKeyMetadata: ApiKey[] }>("ListAccessKeys", { UserName });
  return answer?.AccessKeyMetadata ?? [];
}

interface KeyInputs extends CommonInputs {
  readonly user: string;
  readonly status?: string;
}

const told = ["secret", "sesSmtpPasswordV4"] as const;

export const accessKey = awsResource<KeyInputs>({
  isGlobal: true,
  inputs: {
    user: { type: "string", required: true, replaceOnChange: true },
    status: { type: "string", default: "Active", oneOf: ["Active", "Inactive"] },
  },
  outputs: {
    createDate: {},
    encryptedSecret: {},
    encryptedSesSmtpPasswordV4: {},
    keyFingerprint: {},
    secret: { secret: true },
    sesSmtpPasswordV4: { secret: true },
  },
  unsimulated: ["pgpKey"],
  create: async (ec2, { user: UserName, status = "Active" }) => {
    const { AccessKey: key } = await ec2.call<{ AccessKey: ApiKey & { readonly SecretAccessKey: string } }>(
      "CreateAccessKey",
      { UserName },
    );
    const { AccessKeyId: id, SecretAccessKey: secret } = key;
    if (status !== "Active") await ec2.call("UpdateAccessKey", { UserName, AccessKeyId: id, Status: status });
    return { id, outputs: { secret, sesSmtpPasswordV4: smtpPassword(secret, configuration.region) } };
  },
  read: async (ec2, id, { state, inputs }) => {
    const owner = state.user ?? inputs.user ?? (await ownerOf(ec2, id));
    const found = (await keysOf(ec2, String(owner))).find((key) => key.AccessKeyId === id);
    return (
      found && {
        outputs: {
          createDate: found.CreateDate,
          encryptedSecret: "",
          encryptedSesSmtpPasswordV4: "",
          keyFingerprint: "",
          status: found.Status,
          user: found.UserName,
          // AWS tells a secret once; who imports a key does not know it.
          ...Object.fromEntries(told.flatMap((name) => (name in state ? [[name, state[name]]] : []))),
        } as Properties,
      }
    );
  },
  update: async (ec2, { id, inputs, changed }) => {
    if (!changed("status")) return;
    const Status = inputs.status ?? "Active";
    await ec2.call("UpdateAccessKey", { UserName: inputs.user, AccessKeyId: id, Status });
  },
  delete: async (ec2, id, state) => {
    await ec2.call("DeleteAccessKey", { UserName: state.user, AccessKeyId: id });
  },
});

async function ownerOf(ec2: Ec2, id: string): Promise<string> {
  const answer = await ec2.maybe<{ UserName: string }>("GetAccessKeyLastUsed", { AccessKeyId: id });
  return answer?.UserName ?? "";
}
