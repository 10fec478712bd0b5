// What a program imports from "schemascript".
export { args } from "./args.js";
export { database, Database, type DatabaseFactory, type DatabaseOptions } from "./driver.js";
export {
  Busy,
  CheckViolation,
  DatabaseError,
  ForeignKeyViolation,
  LimitExceeded,
  NotAllowed,
  NotNullViolation,
  SchemaScriptError,
  UniqueViolation,
  type DatabaseErrorDetail,
  type ErrorCode,
  type Violation,
} from "./errors.js";
export type { ForeignKeyExtra, IndexExtra, TableExtras, UniqueExtra } from "./extras.js";
export type { CustomOptions, EnumOptions, FieldBuilder } from "./field.js";
export type { RunResult } from "./host.js";
export {
  Property,
  type AnyProperty,
  type Changed,
  type Facts,
  type NewFacts,
  type ReferenceAction,
  type ReferenceFact,
  type Shortcut,
} from "./property.js";
export type { SchemaDescription } from "./outputs/describe.js";
export { describeSchema } from "./outputs/emit.js";
export type { JsonSchema } from "./outputs/json-schema.js";
export {
  toJSONSchema,
  toTypeScriptInterface,
  validate,
  type Outputs,
  type ValidateOptions,
} from "./outputs/methods.js";
export type { RowKind } from "./outputs/rules.js";
export type { InterfaceOptions } from "./outputs/typescript.js";
export type { Issue, IssueRule, Validated } from "./outputs/validate.js";
export type { Related } from "./relations.js";
export { Schema, SchemaColumn, type PropertyMap, type SchemaBuilder } from "./schema.js";
export { search, searchWords, type Found } from "./search.js";
export {
  Transaction,
  type InTransaction,
  type Iterate,
  type PreparedRowQuery,
  type RowQuery,
} from "./session.js";
export { Statement } from "./statement.js";
export { schemaStatements } from "./statements.js";
export { Table, type ColumnOf, type Searchable } from "./table.js";
export { value } from "./value.js";
export { View, type ViewQuery } from "./view.js";
