// What an error answer becomes: a class for what a program may want to handle, and all that the
// host told.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Busy,
  CheckViolation,
  DatabaseError,
  ForeignKeyViolation,
  LimitExceeded,
  NotAllowed,
  NotNullViolation,
  SchemaScriptError,
  UniqueViolation,
  type ErrorCode,
  type Violation,
} from "schemascript";
import { decodeAnswer } from "#protocol";

function thrown(error: object): DatabaseError {
  try {
    decodeAnswer(JSON.stringify({ error }));
  } catch (found) {
    assert.ok(found instanceof DatabaseError);
    return found;
  }
  return assert.fail("nothing was thrown");
}

test("an error has what the host told, and nothing else", () => {
  const error = thrown({
    code: "conflict",
    message: "users.email must be unique (SQLITE_CONSTRAINT_UNIQUE)",
    violation: "unique",
    table: "users",
    columns: ["email"],
    sqliteCode: "SQLITE_CONSTRAINT_UNIQUE",
    extendedCode: 2067,
    step: 2,
  });
  assert.ok(error instanceof UniqueViolation);
  assert.equal(error.name, "UniqueViolation");
  assert.equal(error.message, "users.email must be unique (SQLITE_CONSTRAINT_UNIQUE)");
  assert.deepEqual(Object.entries(error), [
    ["code", "conflict"],
    ["violation", "unique"],
    ["table", "users"],
    ["columns", ["email"]],
    ["sqliteCode", "SQLITE_CONSTRAINT_UNIQUE"],
    ["extendedCode", 2067],
    ["step", 2],
  ]);
  assert.deepEqual({ ...thrown({ code: "unavailable", message: "no" }) }, { code: "unavailable" });
});

test("the rules that a statement breaks have classes", () => {
  const classes: Record<Violation, typeof DatabaseError> = {
    unique: UniqueViolation,
    "primary-key": UniqueViolation,
    "foreign-key": ForeignKeyViolation,
    "not-null": NotNullViolation,
    check: CheckViolation,
    type: DatabaseError,
  };
  for (const [violation, type] of Object.entries(classes)) {
    const error = thrown({ code: "conflict", message: "no", violation });
    assert.equal(Object.getPrototypeOf(error), type.prototype, violation);
    assert.equal(error.name, type.name);
    assert.equal(error.violation, violation);
    assert.ok(error instanceof SchemaScriptError && error instanceof Error);
  }
});

test("so have rights, limits and a database that is busy", () => {
  const of = (code: ErrorCode, sqliteCode?: string) =>
    Object.getPrototypeOf(thrown({ code, message: "no", sqliteCode })) as object;
  assert.equal(of("not-allowed"), NotAllowed.prototype);
  assert.equal(of("limit-exceeded"), LimitExceeded.prototype);
  assert.equal(of("unavailable", "SQLITE_BUSY"), Busy.prototype);
  assert.equal(of("unavailable", "SQLITE_BUSY_SNAPSHOT"), Busy.prototype);
  assert.equal(of("unavailable", "SQLITE_CANTOPEN"), DatabaseError.prototype);
  assert.equal(of("unavailable"), DatabaseError.prototype);
  assert.equal(of("conflict"), DatabaseError.prototype);
  assert.equal(of("internal"), DatabaseError.prototype);
});

test("a rule that this package does not know yet is an error all the same", () => {
  const error = thrown({ code: "conflict", message: "no", violation: "exclusion" });
  assert.equal(Object.getPrototypeOf(error), DatabaseError.prototype);
  assert.equal(
    Object.getPrototypeOf(thrown({ code: "conflict", message: "no", violation: "constructor" })),
    DatabaseError.prototype,
  );
});
