// Drizzle's sqlite-proxy over a bridge of JSON texts, and the host's half of it with better-sqlite3: what a sandbox without a bridge of its
// own is given. Blobs travel as {"base64": "..."}.
import { drizzle } from "drizzle-orm/sqlite-proxy";

// Drizzle's blob column asks for a Buffer; an engine alone has none.
globalThis.Buffer ??= {
  isBuffer: (value) => value instanceof Uint8Array,
  from: (value) => new Uint8Array(value),
};

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

function decodeBase64(text) {
  if (globalThis.Buffer.alloc) return Buffer.from(text, "base64");
  const codes = Uint8Array.from({ length: 128 }, (_, code) =>
    Math.max(0, ALPHABET.indexOf(String.fromCharCode(code))),
  );
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  for (let at = 0, to = 0; at < text.length; at += 4) {
    let word = 0;
    for (let i = 0; i < 4; ++i) word = (word << 6) | codes[text.charCodeAt(at + i)];
    for (let shift = 16; shift >= 0 && to < bytes.length; shift -= 8) bytes[to++] = word >> shift;
  }
  return bytes;
}

const revived = (row) =>
  row.map((value) =>
    value !== null && typeof value === "object" ? decodeBase64(value.base64) : value,
  );

/** `call` takes and answers a text. */
export const overJson = (call) =>
  drizzle(async (sql, parameters, method) => {
    const { rows, error } = JSON.parse(call(JSON.stringify({ sql, parameters, method })));
    if (error) throw new Error(error);
    if (method === "get") return { rows: rows && revived(rows) };
    return { rows: rows.map(revived) };
  });

/** The other side, over a database of better-sqlite3. */
export function jsonHost(sqlite) {
  const statements = new Map();
  const written = (row) =>
    row.map((value) => (Buffer.isBuffer(value) ? { base64: value.toString("base64") } : value));
  const statementFor = (sql) => {
    const known = statements.get(sql);
    if (known) return known;
    const statement = sqlite.prepare(sql);
    if (statement.reader) statement.raw(true);
    statements.set(sql, statement);
    return statement;
  };
  return (text) => {
    try {
      const { sql, parameters, method } = JSON.parse(text);
      const statement = statementFor(sql);
      if (!statement.reader) {
        statement.run(...parameters);
        return '{"rows":[]}';
      }
      if (method === "get") {
        const row = statement.get(...parameters);
        return JSON.stringify({ rows: row && written(row) });
      }
      return JSON.stringify({ rows: statement.all(...parameters).map(written) });
    } catch (error) {
      return JSON.stringify({ error: String(error.message) });
    }
  };
}
