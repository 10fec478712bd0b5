// Makes objects of rows by their shape, in JavaScript: for a host that answers in JSON. Where the
// host's side knows shapes itself, it does the same by the same rules.
import { Kind } from "./decoder.js";
import type { FieldShape, RowShape } from "./row-shape.js";

type Row = Record<string, unknown>;

/** The function that makes an object of each row. */
export function rowDecoder(shape: RowShape): (row: readonly unknown[]) => Row {
  const { columns, nullable = [] } = shape;
  return (row) => {
    const result: Row = {};
    for (let index = 0; index < columns.length; index++) {
      const field = columns[index] as FieldShape;
      place(result, field.path, decode(field, row[index]));
    }
    // By the value itself: a decoder may have made null of what is stored.
    const missing = nullable.filter(({ column }) => valueAt(result, columns[column]) === null);
    for (const { node } of missing) result[node] = null;
    return result;
  };
}

function place(result: Row, path: readonly string[], value: unknown): void {
  let node = result;
  const last = path.length - 1;
  for (let depth = 0; depth < last; depth++) node = (node[path[depth] as string] ??= {}) as Row;
  node[path[last] as string] = value;
}

function valueAt(result: Row, field: FieldShape | undefined): unknown {
  return (field?.path ?? []).reduce<unknown>((node, name) => (node as Row)[name], result);
}

function decode(field: FieldShape, stored: unknown): unknown {
  if (stored === null) return null;
  const expected = tryDecode(field, stored);
  return expected === undefined ? field.decoder.mapFromDriverValue(stored) : expected;
}

// Undefined where the kind does not expect the value. JSON does not tell 5 from 5.0, so an integer
// is here what has no fraction: where a kind expects integers only, the decoders that are declared
// with it make the same of both.
function tryDecode({ kind, names, numbers }: FieldShape, stored: unknown): unknown {
  switch (kind) {
    case Kind.asIs:
      return stored;
    case Kind.number:
      return typeof stored === "number" ? stored : undefined;
    case Kind.bigint:
      return typeof stored === "bigint" || Number.isSafeInteger(stored)
        ? BigInt(stored as bigint | number)
        : undefined;
    case Kind.boolean:
      return stored === 1 ? true : stored === 0 ? false : undefined;
    case Kind.milliseconds:
      return typeof stored === "number" ? new Date(stored) : undefined;
    case Kind.seconds:
      return typeof stored === "number" ? new Date(stored * 1000) : undefined;
    case Kind.json:
      return typeof stored === "string" ? tryParse(stored) : undefined;
    case Kind.text:
      return typeof stored === "string" ? stored : undefined;
    case Kind.blob:
      return stored instanceof Uint8Array ? stored : undefined;
    case Kind.named:
      return names?.[numbers?.indexOf(stored as number) ?? -1];
    case Kind.rounded:
      return typeof stored === "number" || typeof stored === "bigint" ? Number(stored) : undefined;
    default:
      return undefined;
  }
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
