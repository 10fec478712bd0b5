// What the host receives of the declared schema.
import assert from "node:assert/strict";
import { test } from "node:test";
import { DatabaseError, Table } from "schemascript";
import { pushSchema } from "schemascript/internal";

const sent: string[] = [];
const answering = (answer: unknown) => (payload: string) => {
  sent.push(payload);
  return JSON.stringify(answer);
};

test("nothing is sent while nothing is declared", () => {
  pushSchema(answering({}));
  assert.deepEqual(sent, []);
});

test("the statements of all declared tables are one request", () => {
  Table("push_users", (prop) => ({ id: prop.integer().identifier(), email: prop.text().unique() }));
  pushSchema(answering({ created: ["table push_users"], unchanged: [] }));
  const request = JSON.parse(sent[0] ?? "") as { method: string; sql: string };
  assert.equal(request.method, "push");
  assert.match(request.sql, /^CREATE TABLE "push_users" \(\n/);
  assert.match(request.sql, /\nCREATE UNIQUE INDEX "push_users_email_unique" ON /);
});

test("a refusal is thrown as it came", () => {
  const refusal = { error: { code: "conflict", message: "push_users.email: missing" } };
  assert.throws(
    () => {
      pushSchema(answering(refusal));
    },
    (error) => error instanceof DatabaseError && error.code === "conflict",
  );
});
