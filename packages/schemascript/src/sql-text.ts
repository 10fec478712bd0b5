// SQL as text: names and constants, written so that SQLite reads back exactly what was meant.

/** `users` -> `"users"`. */
export function nameText(name: string): string {
  return name.includes('"') ? `"${name.replaceAll('"', '""')}"` : `"${name}"`;
}

/** A whole statement with its semicolon, which a comment at its end does not swallow. */
export function closedText(statement: string): string {
  const text = statement.trim().replace(/[\s;]+$/, "");
  return /--[^\n]*$/.test(text) ? `${text}\n;` : `${text};`;
}

// A name in SQL, in any of its quotes.
const NAME = /"(?:[^"]|"")*"|\[[^\]]*\]|`(?:[^`]|``)*`|'(?:[^']|'')*'|[\w$\u0080-\u{10ffff}]+/uy;

/** What a CREATE TABLE creates; nothing for other statements. */
export function createdTable(statement: string): string | undefined {
  const head = /^\s*create\s+table\s+(?:if\s+not\s+exists\s+)?/i.exec(statement)?.[0];
  if (head === undefined) return undefined;
  NAME.lastIndex = head.length;
  const name = NAME.exec(statement)?.[0];
  const quote = name?.[0] ?? "";
  if (quote === "[") return name?.slice(1, -1);
  return `"'\``.includes(quote) ? name?.slice(1, -1).replaceAll(quote + quote, quote) : name;
}

/** One stored value as an SQL constant: what DEFAULT and CHECK clauses hold. */
export function constantText(stored: unknown): string {
  switch (typeof stored) {
    case "string":
      // SQL text ends at a NUL; written as bytes it does not.
      if (stored.includes("\0")) return `CAST(x'${hexText(utf8(stored))}' AS TEXT)`;
      return `'${stored.replaceAll("'", "''")}'`;
    case "bigint":
      return String(stored);
    case "number":
      return numberText(stored);
    case "boolean":
      return stored ? "1" : "0";
    default:
      if (stored === null) return "NULL";
      if (stored instanceof Uint8Array) return `x'${hexText(stored)}'`;
      throw new TypeError(`SQL has no constant for ${typeof stored}`);
  }
}

function numberText(stored: number): string {
  if (Number.isNaN(stored)) throw new TypeError("SQL has no constant for NaN");
  if (stored === Infinity) return "9e999";
  if (stored === -Infinity) return "-9e999";
  if (Object.is(stored, -0)) return "-0.0";
  const text = String(stored);
  // Digits alone are an INTEGER to SQLite; a number beyond 2^53 is a REAL, as it is when it is
  // bound.
  return Number.isInteger(stored) && !Number.isSafeInteger(stored) && !text.includes("e")
    ? `${text}.0`
    : text;
}

/** Bytes in hexadecimal, two lower-case digits each. */
export function hexText(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}

// Through percent-encoding, which is part of the language: the guest has no TextEncoder when this
// module is loaded.
function utf8(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const [part] of encodeURIComponent(text).matchAll(/%..|./g)) {
    bytes.push(part.length === 3 ? Number.parseInt(part.slice(1), 16) : part.charCodeAt(0));
  }
  return Uint8Array.from(bytes);
}
