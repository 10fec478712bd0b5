// For the host's glue and for tests; not for programs, and not covered by any promise of the
// package.
export { setArguments } from "./args.js";
export { databaseOver, type DatabaseFactory } from "./driver.js";
export type { Transport } from "./host.js";
export { emitSchema, type EmitKind, type Emitted } from "./outputs/emit.js";
export { collectPrepared, makePrepared } from "./prepared.js";
export { pushSchema } from "./push.js";
export { pendingHint } from "./scope.js";
export { pendingSchema } from "./statements.js";
