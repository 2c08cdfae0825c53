/** What a provider said, without the engine's words around it and in one line. */
export function reasonOf(error: Error): string {
  const said = error.message.replace(/^invocation of \S+ returned an error: /i, "");
  return (said.split("\n").find((line) => line.trim() !== "") ?? "no reason given").trim().replace(/\.$/, "");
}
