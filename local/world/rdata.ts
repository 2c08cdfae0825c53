import type { Answer } from "dns-packet";

/** A record's data as a zone file has it (RFC 1035 section 5.1): names with their last dot, texts quoted. */
export function rdataText(answer: Answer): string {
  switch (answer.type) {
    case "A":
    case "AAAA":
      return answer.data;
    case "NS":
    case "CNAME":
    case "PTR":
      return `${answer.data}.`;
    case "MX":
      return `${answer.data.preference ?? 0} ${answer.data.exchange}.`;
    case "TXT":
      return [answer.data]
        .flat()
        .map((part) => `"${part.toString().replaceAll(/["\\]/g, "\\$&")}"`)
        .join(" ");
    case "SRV":
      return `${answer.data.priority ?? 0} ${answer.data.weight ?? 0} ${answer.data.port} ${answer.data.target}.`;
    case "CAA":
      return `${answer.data.flags ?? 0} ${answer.data.tag} "${answer.data.value}"`;
    case "DS":
      return `${answer.data.keyTag} ${answer.data.algorithm} ${answer.data.digestType} ${answer.data.digest.toString("hex")}`;
    case "TLSA":
      return `${answer.data.usage} ${answer.data.selector} ${answer.data.matchingType} ${answer.data.certificate.toString("hex")}`;
    default:
      return JSON.stringify("data" in answer ? answer.data : answer);
  }
}
