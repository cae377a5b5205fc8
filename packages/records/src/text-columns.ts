/**
 * Lines of cells, each column as wide as its widest cell.
 *
 * @param leftCount how many columns, from the first, are aligned left; the others are aligned right
 */
export const alignedLines = (cells: readonly (readonly string[])[], leftCount: number): string[] => {
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((line) => (line[column] ?? "").length)));
  return cells.map((line) =>
    line
      .map((cell, column) =>
        column < leftCount ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd(),
  );
};
