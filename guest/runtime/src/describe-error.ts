// Describes whatever was thrown for the host, as plain data of bounded size. It runs after user
// code that may have changed any prototype, on values that may be hostile: so it holds on to the
// few intrinsics that it needs, calls no method of any object, and reads every property under a
// guard. There is no template literal in it: QuickJS makes them of calls of
// String.prototype.concat, which user code can replace.
import { inspect } from "./console.js";
import { native } from "./native.js";
import type { Description } from "./native.js";

const { apply, getPrototypeOf, setPrototypeOf, defineProperty } = Reflect;
const sliceOfString = String.prototype.slice;
const objectToString = Object.prototype.toString;
const ErrorPrototype = Error.prototype;
const isArray = Array.isArray;
const toText = String;
const { stringify } = JSON;
const isFinite = Number.isFinite;

const TEXT_UNITS_MAX = 16_384;
const CAUSES_DEEP_MAX = 8;
const DESCRIPTIONS_MAX = 64;
const ERRORS_MAX = 16;
const COLUMNS_MAX = 64;
const PROTOTYPES_MAX = 100;
const INSPECT_OPTIONS = { depth: 2, maxArrayLength: 20, maxStringLength: 1000, __proto__: null };

// The errors that the present one is the cause of, innermost first.
interface Chain {
  readonly value: object;
  readonly outer: Chain | null;
}

interface Budget {
  descriptions: number;
}

function isObject(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}

function read(object: object, name: string): unknown {
  try {
    return (object as Record<string, unknown>)[name];
  } catch {
    return undefined;
  }
}

function shorten(text: string): string {
  if (text.length <= TEXT_UNITS_MAX) return text;
  return apply(sliceOfString, text, [0, TEXT_UNITS_MAX]) + "… (" + text.length + " characters)";
}

function readText(object: object, name: string): string | undefined {
  const value = read(object, name);
  return typeof value === "string" ? shorten(value) : undefined;
}

function isError(value: object): boolean {
  try {
    if (apply(objectToString, value, []) === "[object Error]") return true;
    let prototype = getPrototypeOf(value);
    for (let steps = 0; prototype !== null && steps < PROTOTYPES_MAX; ++steps) {
      if (prototype === ErrorPrototype) return true;
      prototype = getPrototypeOf(prototype);
    }
  } catch {
    // A proxy that throws is no error.
  }
  return false;
}

// An array that no setter on Array.prototype sees being filled, and no toJSON being read.
function addTo<T>(list: T[], index: number, value: T): void {
  defineProperty(list, index, {
    __proto__: null,
    value,
    writable: true,
    enumerable: true,
    configurable: true,
  } as object);
}
function newList<T>(): T[] {
  const list: T[] = [];
  setPrototypeOf(list, null);
  return list;
}

function describeOther(value: unknown): Description {
  let text: string;
  try {
    text = typeof value === "string" ? value : inspect(value, INSPECT_OPTIONS);
  } catch {
    try {
      text = isObject(value) ? "an object that cannot be shown" : toText(value);
    } catch {
      text = "a value that cannot be shown";
    }
  }
  return {
    __proto__: null,
    name: "",
    message: shorten("Uncaught " + text),
    stack: "",
  } as Description;
}

function wasSeen(value: object, chain: Chain | null): boolean {
  for (let link = chain; link !== null; link = link.outer) {
    if (link.value === value) return true;
  }
  return false;
}

function describe(value: unknown, chain: Chain | null, depth: number, budget: Budget): Description {
  budget.descriptions += 1;
  if (!isObject(value) || !isError(value)) return describeOther(value);
  const description = {
    __proto__: null,
    name: readText(value, "name") ?? "Error",
    message: readText(value, "message") ?? "",
    stack: readText(value, "stack") ?? "",
  } as unknown as Description;

  const code = read(value, "code");
  // DOMException's code is a number from another age, 0 for every name of today.
  if (typeof code === "string") description.code = shorten(code);
  else if (typeof code === "number" && code !== 0) description.code = code;
  const violation = readText(value, "violation");
  if (violation !== undefined) description.violation = violation;
  const table = readText(value, "table");
  if (table !== undefined) description.table = table;
  const columns = read(value, "columns");
  if (isArrayQuietly(columns)) {
    const names = newList<string>();
    for (let i = 0; i < COLUMNS_MAX; ++i) {
      const name = readText(columns, "" + i);
      if (name === undefined) break;
      addTo(names, i, name);
    }
    description.columns = names;
  }

  const inner: Chain = { value, outer: chain };
  const mayGoOn = (): boolean => depth < CAUSES_DEEP_MAX && budget.descriptions < DESCRIPTIONS_MAX;
  const cause = read(value, "cause");
  if (cause !== undefined && mayGoOn() && !(isObject(cause) && wasSeen(cause, inner))) {
    description.cause = describe(cause, inner, depth + 1, budget);
  }
  const errors = read(value, "errors");
  if (isArrayQuietly(errors)) {
    const length = read(errors, "length");
    const described = newList<Description>();
    let count = 0;
    for (let i = 0; i < ERRORS_MAX && i < (length as number) && mayGoOn(); ++i) {
      const error = read(errors, "" + i);
      if (isObject(error) && wasSeen(error, inner)) continue;
      addTo(described, count++, describe(error, inner, depth + 1, budget));
    }
    description.errors = described;
  }
  return description;
}

// A revoked proxy makes Array.isArray throw.
function isArrayQuietly(value: unknown): value is object {
  try {
    return isArray(value);
  } catch {
    return false;
  }
}

/** Never throws, whatever `error` is. */
export function describeError(error: unknown): Description {
  try {
    return describe(error, null, 0, { descriptions: 0 });
  } catch {
    // The stack may be as good as exhausted: nothing is called here.
    return {
      __proto__: null,
      name: "",
      message: "Uncaught error that cannot be described",
      stack: "",
    } as Description;
  }
}

// JSON.stringify of an object fills an array of its own in QuickJS, which a setter on
// Array.prototype can see and stop. Of a string, it does not.
function quote(text: string): string {
  return stringify(text);
}

function list<T>(items: readonly T[], show: (item: T) => string): string {
  let text = "";
  for (let i = 0; i < items.length; ++i) text += (i === 0 ? "" : ",") + show(items[i] as T);
  return "[" + text + "]";
}

function toJson(description: Description): string {
  const { name, message, stack, code, violation, table, columns, cause, errors } = description;
  let text = '{"name":' + quote(name) + ',"message":' + quote(message) + ',"stack":' + quote(stack);
  if (code !== undefined)
    text += ',"code":' + (typeof code === "string" ? quote(code) : isFinite(code) ? code : "null");
  if (violation !== undefined) text += ',"violation":' + quote(violation);
  if (table !== undefined) text += ',"table":' + quote(table);
  if (columns !== undefined) text += ',"columns":' + list(columns, quote);
  if (cause !== undefined) text += ',"cause":' + toJson(cause);
  if (errors !== undefined) text += ',"errors":' + list(errors, toJson);
  return text + "}";
}

native.setDescribeErrorText((error) => toJson(describeError(error)));
