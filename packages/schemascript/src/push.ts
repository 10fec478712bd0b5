// The declared schema on its way to the host, which compares it with the database's.
import { hostCall, type Transport } from "./host.js";
import { decodeAnswer, encodeRequest } from "./protocol.js";
import { pendingSchema } from "./statements.js";

/**
 * For the host: sends the SQL of all declared tables, so that those that are missing are created.
 * Throws a `DatabaseError` when one exists and differs.
 */
export function pushSchema(transport: Transport = hostCall()): void {
  const sql = pendingSchema();
  if (sql !== "") decodeAnswer(transport(encodeRequest({ method: "push", sql })));
}
