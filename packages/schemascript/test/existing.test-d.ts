// The types of what databases have that were not made by this language.
import { sql } from "drizzle-orm";
import { Statement, Table, View } from "schemascript";

type Equal<One, Other> =
  (<T>() => T extends One ? 1 : 2) extends <T>() => T extends Other ? 1 : 2 ? true : false;
declare function same<One, Other>(equal: Equal<One, Other>): void;

// They change nothing of what a value is.
const plain = Table("plain", (prop) => ({
  id: prop.text("the_id").identifier(),
  fee: prop.real().optional(),
  parent: prop.text().references(() => plain.id),
}));
const declared = Table(
  "declared",
  (prop) => ({
    id: prop.text("the_id").declaredAs("CHAR(5)").identifier().withoutNotNull().collate("nocase"),
    fee: prop.real().declaredAs("MONEY").optional().unique({ constraint: true }),
    parent: prop.text().references(() => declared.id, { deferred: true }),
  }),
  { strict: false, unique: [{ on: ["id", "fee"], constraint: true }, ["fee", "parent"]] },
);
same<typeof declared.$inferSelect, typeof plain.$inferSelect>(true);
same<typeof declared.$inferInsert, typeof plain.$inferInsert>(true);

// @ts-expect-error
Table("t", (prop) => ({ a: prop.text() }), { unique: [{ on: ["b"], constraint: true }] });
// @ts-expect-error
Table("t", (prop) => ({ a: prop.text() }), { statement: "CREATE TABLE t (a)" });

const view = View(
  "view",
  (prop) => ({ at: prop.datetime("the at"), name: prop.text().optional() }),
  sql`select 1, 2`,
  { columnList: true },
);
same<typeof view.$inferSelect, { at: Date; name: string | null }>(true);
same<(typeof view.at)["_"]["name"], "the at">(true);
// @ts-expect-error
View("view", (prop) => ({ at: prop.datetime() }), "select 1");
// @ts-expect-error
Statement("create trigger");
