/** The simulated AWS as AWS's own clients speak to it. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { AwsClient } from "aws4fetch";
import { type FakeCloud, startFakeCloud } from "../fake-cloud.ts";

interface Asked {
  readonly service?: "ec2" | "sts" | "servicequotas";
  readonly key?: Partial<FakeCloud["awsKey"]>;
  /** As a form; of Service Quotas, as JSON. */
  readonly body: string;
}

async function ask(
  { awsUrl, awsKey }: FakeCloud,
  { service = "ec2", key, body }: Asked,
): Promise<{ readonly status: number; readonly text: string }> {
  const client = new AwsClient({ ...awsKey, ...key, service, region: "eu-central-1", retries: 0 });
  const headers =
    service === "servicequotas"
      ? {
          "content-type": "application/x-amz-json-1.1",
          "x-amz-target": "ServiceQuotasV20190624.GetServiceQuota",
        }
      : { "content-type": "application/x-www-form-urlencoded" };
  const answer = await client.fetch(awsUrl, { method: "POST", headers, body });
  return { status: answer.status, text: await answer.text() };
}

const code = (text: string) => /<Code>(\w+(?:\.\w+)?)<\/Code>/.exec(text)?.[1];

test("filters and lists of a form, and answers in EC2's names", async (t) => {
  const cloud = await startFakeCloud(t);
  const offered = await ask(cloud, {
    body: "Action=DescribeInstanceTypeOfferings&Version=2016-11-15&LocationType=availability-zone&Filter.1.Name=instance-type&Filter.1.Value.1=m7i.large&Filter.2.Name=location&Filter.2.Value.1=eu-central-1a&Filter.2.Value.2=eu-central-1b",
  });
  assert.equal(
    offered.text,
    '<DescribeInstanceTypeOfferingsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><instanceTypeOfferingSet><item><instanceType>m7i.large</instanceType><locationType>availability-zone</locationType><location>eu-central-1b</location></item></instanceTypeOfferingSet></DescribeInstanceTypeOfferingsResponse>',
  );
  await cloud.aws.setSwitches({ addressLimit: 7 });
  const { text } = await ask(cloud, {
    body: "Action=DescribeAccountAttributes&AttributeName.1=vpc-max-elastic-ips",
  });
  assert.match(
    text,
    /<accountAttributeSet><item><attributeName>vpc-max-elastic-ips<\/attributeName><attributeValueSet><item><attributeValue>7<\/attributeValue><\/item><\/attributeValueSet><\/item><\/accountAttributeSet>/,
  );
});

test("STS says who one is, and Service Quotas how much one may have", async (t) => {
  const cloud = await startFakeCloud(t);
  const { text } = await ask(cloud, { service: "sts", body: "Action=GetCallerIdentity&Version=2011-06-15" });
  assert.match(
    text,
    /^<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user\/mailhost</,
  );
  const quota = (QuotaCode: string) =>
    ask(cloud, { service: "servicequotas", body: JSON.stringify({ ServiceCode: "ec2", QuotaCode }) });
  assert.equal(JSON.parse((await quota("L-1216C47A")).text).Quota.Value, 32);
  const { status, text: none } = await quota("L-00000000");
  assert.deepEqual([status, JSON.parse(none).__type], [400, "NoSuchResourceException"]);
});

test("what is only tried makes nothing: yes, no, or something is missing", async (t) => {
  const cloud = await startFakeCloud(t);
  const attempt = async (fields: string) => {
    const { status, text } = await ask(cloud, { body: `Action=${fields}&DryRun=true` });
    return [status, code(text)];
  };
  assert.deepEqual(await attempt("AllocateAddress&Domain=vpc"), [412, "DryRunOperation"]);
  assert.deepEqual(await attempt("CreateVpc"), [400, "MissingParameter"]);
  await cloud.aws.setSwitches({ denied: "ec2:AllocateAddress" });
  assert.deepEqual(await attempt("AllocateAddress&Domain=vpc"), [403, "UnauthorizedOperation"]);
  assert.deepEqual(await cloud.aws.handle("DescribeAddresses", {}), { Addresses: [] });
  // The same right is missing where the stand-in providers ask.
  await assert.rejects(cloud.aws.handle("AllocateAddress", { Domain: "vpc" }), {
    code: "UnauthorizedOperation",
  });
});

test("in earnest nothing is made here, and no other service answers", async (t) => {
  const cloud = await startFakeCloud(t);
  const earnest = await ask(cloud, { body: "Action=AllocateAddress&Domain=vpc" });
  assert.deepEqual([earnest.status, code(earnest.text)], [400, "Unsupported"]);
  const other = await ask(cloud, { service: "sts", body: "Action=DescribeAddresses" });
  assert.deepEqual([other.status, code(other.text)], [400, "InvalidAction"]);
  assert.deepEqual(await cloud.aws.handle("DescribeAddresses", {}), { Addresses: [] });
});

test("who does not sign with the account's key is refused, by each service in its own words", async (t: TestContext) => {
  const cloud = await startFakeCloud(t);
  const refused = async (service: "ec2" | "sts" | "servicequotas", key: Partial<FakeCloud["awsKey"]>) => {
    const { status, text } = await ask(cloud, { service, key, body: "Action=X" });
    return [status, service === "servicequotas" ? JSON.parse(text).__type : code(text)];
  };
  const [unknown, wrong] = [{ accessKeyId: "AKIANOBODY" }, { secretAccessKey: "another" }];
  assert.deepEqual(await refused("ec2", unknown), [401, "AuthFailure"]);
  assert.deepEqual(await refused("ec2", wrong), [401, "AuthFailure"]);
  assert.deepEqual(await refused("sts", unknown), [403, "InvalidClientTokenId"]);
  assert.deepEqual(await refused("sts", wrong), [403, "SignatureDoesNotMatch"]);
  assert.deepEqual(await refused("servicequotas", unknown), [403, "UnrecognizedClientException"]);
  assert.deepEqual(await refused("servicequotas", wrong), [403, "InvalidSignatureException"]);
  const unsigned = await fetch(cloud.awsUrl, { method: "POST", body: "Action=DescribeAddresses" });
  assert.deepEqual([unsigned.status, code(await unsigned.text())], [403, "MissingAuthenticationToken"]);
});
