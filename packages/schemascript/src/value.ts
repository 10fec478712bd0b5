// Defaults that the database computes, in the form that fits the property they are used on.
import { sql } from "drizzle-orm";
import { shortcut, type Shortcut } from "./property.js";

// Whole seconds; and milliseconds, exactly: both functions see one and the same moment within a
// statement.
const seconds = sql`unixepoch()`;
const milliseconds = sql`unixepoch() * 1000 + CAST(substr(strftime('%f', 'now'), 4) AS INTEGER)`;
const iso = sql`strftime('%Y-%m-%dT%H:%M:%fZ', 'now')`;

// Version 4: 122 random bits.
const hex = (bytes: number) => sql`hex(randomblob(${sql.raw(String(bytes))}))`;
const variant = sql`substr('89AB', 1 + (random() & 3), 1)`;
const uuid = sql`lower(${sql.join(
  [
    ...[hex(4), sql`'-'`, hex(2), sql`'-4'`, sql`substr(${hex(2)}, 2)`],
    ...[sql`'-'`, variant, sql`substr(${hex(2)}, 2)`, sql`'-'`, hex(6)],
  ],
  sql` || `,
)})`;

/**
 * Defaults that the database computes: `value.now()`, `value.uuid()`, and any expression as
 * `value.sql`.
 *
 * `value.now` is seconds on an integer, milliseconds on a datetime and ISO 8601 on a text. The
 * shortcuts can be written with or without the parentheses.
 *
 * @example
 * ```ts
 * import { Schema, value } from "schemascript";
 *
 * const Sessions = Schema("sessions", (prop) => ({
 *   id: prop.text().identifier().default(value.uuid()),
 *   openedAt: prop.datetime().default(value.now),
 *   weight: prop.real().default(value.sql`abs(-0.5)`),
 * }));
 * ```
 */
export const value: {
  readonly now: Shortcut<"integer" | "bigint" | "datetime" | "text">;
  readonly uuid: Shortcut<"text">;
  readonly sql: typeof sql;
} = Object.freeze({
  now: shortcut<"integer" | "bigint" | "datetime" | "text">({
    integer: seconds,
    bigint: seconds,
    datetime: milliseconds,
    text: iso,
  }),
  uuid: shortcut<"text">({ text: uuid }),
  sql,
});
