// In place of drizzle-orm's entity.js (build.mjs): the same, with an is() of the guest's own
// (guest/src/entity.cc). It is half of what building a query costs.
import { is as plain, entityKind, hasOwnEntityKind } from "drizzle-orm/entity";

const makeIs = globalThis.__native_entity;
delete globalThis.__native_entity;

export const is = makeIs === undefined ? plain : makeIs(plain, entityKind, Symbol.hasInstance);
export { entityKind, hasOwnEntityKind };
