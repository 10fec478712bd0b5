// The types of what validates: equal to the tables' own, and wrong calls that do not compile.
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { Schema, Table, validate, value, type Outputs, type Validated } from "../../dist/index.js";

type Equal<One, Other> =
  (<T>() => T extends One ? 1 : 2) extends <T>() => T extends Other ? 1 : 2 ? true : false;
type Flat<Row> = { [Key in keyof Row]: Row[Key] };
const isTrue = <_ extends true>() => undefined;

const Users = Schema("users", (prop) => ({
  id: prop.integer().identifier(),
  name: prop.text().min(1),
  email: prop.text("email_address").optional(),
  role: prop.enum({ options: ["admin", "user"] }).default("user"),
  tags: prop.text().array(),
  at: prop.datetime().default(value.now()),
  extra: prop.node<{ a: number }>().optional(),
  shout: prop.text().generated(value.sql`upper("name")`),
}));
const users = Table(Users);

type ValueOf<Result> = Result extends { readonly value: infer Value } ? Value : never;
const inserted = users.validate({});
const selected = users.validate({}, { kind: "select" });
const updated = Users.validate({}, { kind: "update" });
isTrue<Equal<Flat<ValueOf<typeof inserted>>, Flat<typeof users.$inferInsert>>>();
isTrue<Equal<Flat<ValueOf<typeof selected>>, Flat<typeof users.$inferSelect>>>();
isTrue<Equal<Flat<ValueOf<typeof updated>>, Flat<Partial<typeof users.$inferInsert>>>>();

const free = validate(Users, {});
isTrue<Equal<typeof free, typeof inserted>>();
isTrue<
  Equal<StandardSchemaV1.InferInput<typeof users>, StandardSchemaV1.InferOutput<typeof Users>>
>();
isTrue<Equal<Flat<StandardSchemaV1.InferInput<typeof users>>, Flat<typeof users.$inferInsert>>>();

// What is valid can be inserted as it is.
if (!inserted.issues) ((_: typeof users.$inferInsert) => undefined)(inserted.value);

// A column of the same name keeps its type.
const odd = Table("odd", (prop) => ({ validate: prop.text(), toJSONSchema: prop.integer() }));
isTrue<Equal<typeof odd.$inferSelect, { validate: string; toJSONSchema: number }>>();
const oddResult: Validated<{ validate: string; toJSONSchema: number }> = validate(odd, {});

const any: readonly Outputs[] = [Users, users];

// @ts-expect-error There is no such kind of row.
users.validate({}, { kind: "delete" });
// @ts-expect-error Nor such a form.
users.validate({}, { form: "xml" });
// @ts-expect-error The value is there only where there are no issues.
inserted.value.name;
// @ts-expect-error A plain object has no rules.
validate({}, {});
// @ts-expect-error The column took the method's place.
odd.validate({});
