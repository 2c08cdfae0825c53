import { createHmac } from "node:crypto";

/**
 * Password of SES's SMTP interface in a region, made of a secret access key (Amazon SES developer guide, "Obtaining SES SMTP
 * credentials by converting existing AWS credentials"): a signature of version 4 over constants.
 */
export function smtpPassword(secretAccessKey: string, region: string): string {
  const signed = ["11111111", region, "ses", "aws4_request", "SendRawEmail"].reduce<Buffer>(
    (key, text) => createHmac("sha256", key).update(text).digest(),
    Buffer.from(`AWS4${secretAccessKey}`),
  );
  return Buffer.concat([Buffer.from([4]), signed]).toString("base64");
}
