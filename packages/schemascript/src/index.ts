// What a program imports from "schemascript".
export { args } from "./args.js";
export {
  database,
  Database,
  type DatabaseFactory,
  type DatabaseOptions,
  type RunResult,
} from "./driver.js";
export {
  DatabaseError,
  SchemaScriptError,
  type DatabaseErrorDetail,
  type ErrorCode,
  type Violation,
} from "./errors.js";
export type { CustomOptions, EnumOptions, FieldBuilder } from "./field.js";
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
export { Schema, SchemaColumn, type PropertyMap, type SchemaBuilder } from "./schema.js";
export { schemaStatements } from "./statements.js";
export { Table, type ColumnOf } from "./table.js";
export { value } from "./value.js";
