// The parameters of a query, which may have places for values that come with each execution.
import { is, Param, Placeholder } from "drizzle-orm";
import { SchemaScriptError } from "./errors.js";

export type Values = Readonly<Record<string, unknown>>;

/** What is bound, when the places are filled with these values. */
export type Bind = (values?: Values) => readonly unknown[];

interface Slot {
  readonly index: number;
  readonly name: string;
  readonly encode: ((value: unknown) => unknown) | undefined;
}

const NOTHING: Values = {};

/**
 * Looks for the places once; executions fill them. They throw `invalid-request` for a value that is
 * missing, with Drizzle's sentence, or that its column does not take.
 */
export function binder(params: readonly unknown[]): Bind {
  const slots: Slot[] = [];
  for (let index = 0; index < params.length; index++) {
    const slot = trySlot(params[index], index);
    if (slot) slots.push(slot);
  }
  if (slots.length === 0) return () => params;
  // By index: an iterator would cost more than all the rest.
  return (values = NOTHING) => {
    const filled = params.slice();
    for (let at = 0; at < slots.length; at++) {
      const slot = slots[at] as Slot;
      const value = values[slot.name];
      if (value === undefined && !(slot.name in values)) throw missing(slot.name);
      filled[slot.index] = slot.encode ? encoded(slot.encode, value) : value;
    }
    return filled;
  };
}

/** The parameters of a query that is executed once. */
export function bound(params: readonly unknown[], values?: Values): readonly unknown[] {
  for (let index = 0; index < params.length; index++) {
    if (trySlot(params[index], index)) return binder(params)(values);
  }
  return params;
}

function missing(name: string): SchemaScriptError {
  return new SchemaScriptError(
    "invalid-request",
    `No value for placeholder "${name}" was provided`,
  );
}

function trySlot(param: unknown, index: number): Slot | undefined {
  if (typeof param !== "object" || param === null) return undefined;
  if (is(param, Placeholder)) return { index, name: param.name, encode: undefined };
  if (!is(param, Param) || !is(param.value, Placeholder)) return undefined;
  const { encoder, value } = param;
  return { index, name: value.name, encode: (given) => encoder.mapToDriverValue(given) };
}

function encoded(encode: (value: unknown) => unknown, value: unknown): unknown {
  try {
    return encode(value);
  } catch (error) {
    if (error instanceof SchemaScriptError || !(error instanceof Error)) throw error;
    throw new SchemaScriptError("invalid-request", error.message, { cause: error });
  }
}
