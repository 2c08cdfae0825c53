/** IAM, as far as a user who may do little needs it. Errors as in the "IAM API Reference". */
import { randomBytes } from "node:crypto";
import { type Account, type Action, tagList } from "./account.ts";
import { accountId } from "./catalog.ts";
import { AwsError, withCode } from "./errors.ts";
import type { Parameters } from "./parameters.ts";
import { readPolicy } from "./policy.ts";
import { saveSes } from "./smtp.ts";
import type { IamUser } from "./state.ts";

/** "IAM and AWS STS quotas". */
const keyLimit = 2;
const policyLimit = 2048;

/** IAM's actions of the same names. */
export const iamActions: Readonly<Record<string, Action>> = withCode("ValidationError", {
  CreateUser: (account, parameters) => {
    const name = userName(parameters.string("UserName"));
    const path = userPath(parameters.maybeString("Path") ?? "/");
    const tags = parameters.tags();
    parameters.end();
    if (Object.keys(account.state.users).some((other) => other.toLowerCase() === name.toLowerCase())) {
      throw new AwsError("EntityAlreadyExists", `User with name ${name} already exists.`, 409);
    }
    const user: IamUser = {
      name,
      path,
      id: `AIDA${characters(17)}`,
      arn: arnOf(path, name),
      createdAt: account.now(),
      tags,
      policies: {},
      keys: {},
    };
    account.state.users[name] = user;
    account.save();
    return { User: showUser(user) };
  },

  GetUser: (account, parameters) => {
    const user = userOf(account, parameters);
    parameters.end();
    return { User: showUser(user) };
  },

  UpdateUser: async (account, parameters) => {
    const user = userOf(account, parameters);
    const name = userName(parameters.maybeString("NewUserName") ?? user.name);
    const path = userPath(parameters.maybeString("NewPath") ?? user.path);
    parameters.end();
    const { users } = account.state;
    if (name !== user.name && users[name] !== undefined) {
      throw new AwsError("EntityAlreadyExists", `User with name ${name} already exists.`, 409);
    }
    delete users[user.name];
    users[name] = { ...user, name, path, arn: arnOf(path, name) };
    await saveSes(account);
    return {};
  },

  DeleteUser: (account, parameters) => {
    const user = userOf(account, parameters);
    parameters.end();
    const conflict = (what: string) =>
      new AwsError("DeleteConflict", `Cannot delete entity, must delete ${what} first.`, 409);
    if (Object.keys(user.keys).length > 0) throw conflict("access keys");
    if (Object.keys(user.policies).length > 0) throw conflict("policies");
    delete account.state.users[user.name];
    account.save();
    return {};
  },

  /** There are no groups here; who deletes a user asks. */
  ListGroupsForUser: (account, parameters) => {
    userOf(account, parameters);
    parameters.end();
    return { Groups: [], IsTruncated: false };
  },

  TagUser: (account, parameters) => {
    const user = userOf(account, parameters);
    const tags = parameters.tags();
    parameters.end();
    user.tags = { ...user.tags, ...tags };
    account.save();
    return {};
  },

  UntagUser: (account, parameters) => {
    const user = userOf(account, parameters);
    const keys = parameters.strings("TagKeys");
    parameters.end();
    for (const key of keys) delete user.tags[key];
    account.save();
    return {};
  },

  PutUserPolicy: async (account, parameters) => {
    const user = userOf(account, parameters);
    const name = policyName(parameters.string("PolicyName"));
    const document = parameters.string("PolicyDocument");
    parameters.end();
    readPolicy(document);
    const others = Object.entries(user.policies).filter(([other]) => other !== name);
    const size = [...others.map(([, text]) => text), document].join("").replace(/\s/g, "").length;
    if (size > policyLimit) {
      throw new AwsError(
        "LimitExceeded",
        `Maximum policy size of ${policyLimit} bytes exceeded for user ${user.name}`,
        409,
      );
    }
    user.policies[name] = document;
    await saveSes(account);
    return {};
  },

  GetUserPolicy: (account, parameters) => {
    const user = userOf(account, parameters);
    const name = parameters.string("PolicyName");
    parameters.end();
    return { UserName: user.name, PolicyName: name, PolicyDocument: policyOf(user, name) };
  },

  DeleteUserPolicy: async (account, parameters) => {
    const user = userOf(account, parameters);
    const name = parameters.string("PolicyName");
    parameters.end();
    policyOf(user, name);
    delete user.policies[name];
    await saveSes(account);
    return {};
  },

  /** The secret is told this once. */
  CreateAccessKey: async (account, parameters) => {
    const user = userOf(account, parameters);
    parameters.end();
    if (Object.keys(user.keys).length >= keyLimit) {
      throw new AwsError("LimitExceeded", `Cannot exceed quota for AccessKeysPerUser: ${keyLimit}`, 409);
    }
    const id = `AKIA${characters(16)}`;
    const key = {
      secret: randomBytes(30).toString("base64"),
      status: "Active",
      createdAt: account.now(),
    } as const;
    user.keys[id] = key;
    await saveSes(account);
    return { AccessKey: { ...showKey(user, id), SecretAccessKey: key.secret } };
  },

  ListAccessKeys: (account, parameters) => {
    const user = userOf(account, parameters);
    parameters.end();
    return {
      AccessKeyMetadata: Object.keys(user.keys).map((id) => showKey(user, id)),
      IsTruncated: false,
    };
  },

  /** Who only knows a key asks whose it is. */
  GetAccessKeyLastUsed: (account, parameters) => {
    const id = parameters.string("AccessKeyId");
    parameters.end();
    const user = Object.values(account.state.users).find(({ keys }) => keys[id] !== undefined);
    if (user === undefined) throw noKey(id);
    return { UserName: user.name };
  },

  UpdateAccessKey: async (account, parameters) => {
    const user = userOf(account, parameters);
    const id = parameters.string("AccessKeyId");
    const key = user.keys[id];
    const status = parameters.string("Status");
    parameters.end();
    if (key === undefined) throw noKey(id);
    if (status !== "Active" && status !== "Inactive") {
      throw new AwsError(
        "ValidationError",
        `Value '${status}' at 'status' failed to satisfy constraint: Member must satisfy enum value set: [Active, Inactive]`,
      );
    }
    user.keys[id] = { ...key, status };
    await saveSes(account);
    return {};
  },

  DeleteAccessKey: async (account, parameters) => {
    const user = userOf(account, parameters);
    const id = parameters.string("AccessKeyId");
    parameters.end();
    if (user.keys[id] === undefined) throw noKey(id);
    delete user.keys[id];
    await saveSes(account);
    return {};
  },
});

function userOf(account: Account, parameters: Parameters): IamUser {
  const name = parameters.string("UserName");
  const found = account.state.users[name];
  if (found === undefined) {
    throw new AwsError("NoSuchEntity", `The user with name ${name} cannot be found.`, 404);
  }
  return found;
}

function policyOf(user: IamUser, name: string): string {
  const found = user.policies[name];
  if (found === undefined) {
    throw new AwsError("NoSuchEntity", `The user policy with name ${name} cannot be found.`, 404);
  }
  return found;
}

function noKey(id: string): AwsError {
  return new AwsError("NoSuchEntity", `The Access Key with id ${id} cannot be found.`, 404);
}

function arnOf(path: string, name: string): string {
  return `arn:aws:iam::${accountId}:user${path}${name}`;
}

function showUser(user: IamUser) {
  return {
    UserName: user.name,
    UserId: user.id,
    Arn: user.arn,
    Path: user.path,
    CreateDate: new Date(user.createdAt).toISOString(),
    Tags: tagList(user.tags),
  };
}

function showKey(user: IamUser, id: string) {
  const key = user.keys[id];
  return {
    UserName: user.name,
    AccessKeyId: id,
    Status: key?.status,
    CreateDate: new Date(key?.createdAt ?? 0).toISOString(),
  };
}

function userName(name: string): string {
  if (!/^[\w+=,.@-]{1,64}$/.test(name)) {
    throw new AwsError(
      "ValidationError",
      "The specified value for userName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-",
    );
  }
  return name;
}

function policyName(name: string): string {
  if (!/^[\w+=,.@-]{1,128}$/.test(name)) {
    throw new AwsError(
      "ValidationError",
      "The specified value for policyName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-",
    );
  }
  return name;
}

function userPath(path: string): string {
  if (!/^\/([!-~]*\/)?$/.test(path) || path.length > 512) {
    throw new AwsError(
      "ValidationError",
      "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.",
    );
  }
  return path;
}

/** As IAM's unique ids have them. */
function characters(count: number): string {
  return Array.from(randomBytes(count), (byte) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[byte % 32]).join("");
}
