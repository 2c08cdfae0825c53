/** Rows in columns, each as wide as what is in it; one with nothing in it is left out. */
export function tableLines(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .filter((cell) => cell !== "")
      .join("  ")
      .trimEnd(),
  );
}
