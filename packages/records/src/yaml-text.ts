import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";

/** A YAML text with the places of its keys. */
export interface YamlText {
  readonly value: unknown;
  /** `file:line:column` of a path, or of the nearest place above it that exists. */
  at(path: readonly (string | number)[]): string;
}

/** Reads a YAML document, or says what is wrong with it. */
export const readYaml = (text: string, file: string): YamlText | { readonly problems: readonly string[] } => {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  if (document.errors.length > 0) {
    return { problems: document.errors.map((error) => `${place(error.pos[0])}: ${error.message.split("\n")[0]}`) };
  }
  try {
    return { value: document.toJS(), at: (path) => place(offsetOf(document.contents, path.map(String))) };
  } catch (error) {
    // Aliases are resolved only here: one without an anchor is no error of the parser's.
    return { problems: [`${place(0)}: ${(error as Error).message}`] };
  }
};

/** Offset of the node at a path, or of the nearest one above it that exists. */
const offsetOf = (root: Node | null, path: readonly string[]): number => {
  let node: Node | null | undefined = root;
  let offset = root?.range?.[0] ?? 0;
  for (const key of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === key);
      if (pair === undefined) return offset;
      offset = (pair.key as Node).range?.[0] ?? offset;
      node = pair.value as Node | null;
    } else if (isSeq(node)) {
      node = node.items[Number(key)] as Node | undefined;
      offset = node?.range?.[0] ?? offset;
    } else if (isAlias(node) || node === undefined || node === null) {
      return offset;
    }
  }
  return offset;
};
