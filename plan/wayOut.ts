/** A mail server that is always there and greets whoever comes. */
const somebody = { name: "gmail-smtp-in.l.google.com", port: 25 };

/**
 * Shell: whether another server answers the host, which finds out whether mail can leave. By IPv4, as Postfix sends.
 * Prints `open`; `blocked` and the reason, if there is one; or `unknown`, where the name has no address.
 * @param to default: a large receiver's port 25, which new accounts at AWS have closed
 */
export function wayOut({ name, port }: { readonly name: string; readonly port: number } = somebody): string {
  // Where TLS comes first nobody greets: that somebody is there has to do.
  const greeting = port === 465 ? "echo 220" : "head -n 1 <&3";
  return `address=$(getent ahostsv4 ${name} | awk 'NR == 1 { print $1 }')
[ -n "$address" ] || { echo unknown; exit; }
said=$(timeout 8 bash -c "exec 3<>/dev/tcp/$address/${port} && ${greeting}" 2>&1 | tail -n 1 | tr -d "\\r")
case $said in 220*) echo open ;; *) echo "blocked\${said:+ $said}" ;; esac`;
}
