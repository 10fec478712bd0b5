// The `prop` of a builder: makes the properties that a table begins with.
import { invalidSchema } from "./errors.js";
import { Property, type NewFacts } from "./property.js";
import type { CustomShape, PropertyType, StorageClass, ValueShape } from "./storage.js";

type Integer<Name extends string | undefined = undefined> = Property<
  number,
  NewFacts<"integer", Name>
>;
type BigInteger<Name extends string | undefined = undefined> = Property<
  bigint,
  NewFacts<"bigint", Name>
>;

type Enum<
  Options extends EnumOptions,
  Name extends string | undefined = undefined,
> = Options extends readonly string[]
  ? Property<Options[number], NewFacts<"enum", Name, Options>>
  : Property<keyof Options & string, NewFacts<"numbered", Name>>;

/**
 * The options of an enum: a list of names (stored as TEXT), or names with their numbers (stored as
 * INTEGER).
 *
 * @example
 * ```ts
 * import type { EnumOptions } from "schemascript";
 *
 * const byName: EnumOptions = ["admin", "user"];
 * const byNumber: EnumOptions = { low: 1, high: 2 };
 * ```
 */
export type EnumOptions = readonly [string, ...string[]] | { readonly [name: string]: number };

/** What JavaScript has for each storage that a custom type can name. */
interface StoredAs {
  readonly integer: number | bigint;
  readonly real: number;
  readonly text: string;
  readonly blob: Uint8Array;
  readonly any: number | bigint | string | Uint8Array;
}

type Conversions<Value, Stored> = [Value] extends [Stored]
  ? {
      readonly toDriver?: (value: Value) => Stored;
      readonly fromDriver?: (stored: Stored) => Value;
    }
  : {
      readonly toDriver: (value: Value) => Stored;
      readonly fromDriver: (stored: Stored) => Value;
    };

/**
 * How a custom type is stored. `storage` is what the column is declared as, ANY where it is left
 * out; the conversions may be left out where the value is stored as it is. `name` is the column's,
 * where it is not the key.
 *
 * @example
 * ```ts
 * import { Schema, type CustomOptions } from "schemascript";
 *
 * const point: CustomOptions<[number, number]> = {
 *   storage: "text",
 *   toDriver: ([x, y]) => `${x} ${y}`,
 *   fromDriver: (stored) => stored.split(" ").map(Number) as [number, number],
 * };
 * const Places = Schema("places", (prop) => ({
 *   at: prop.custom<[number, number]>("point", point),
 * }));
 * ```
 */
export type CustomOptions<Value> = {
  [Storage in keyof StoredAs]: { readonly name?: string } & Conversions<Value, StoredAs[Storage]> &
    (Storage extends "any" ? { readonly storage?: "any" } : { readonly storage: Storage });
}[keyof StoredAs];

/**
 * The `prop` that a builder is called with. The first string is the column's name, which otherwise
 * is the property's key.
 *
 * @example
 * ```ts
 * import { Schema, type FieldBuilder } from "schemascript";
 *
 * const stamps = (prop: FieldBuilder) => ({ createdAt: prop.datetime("created_at") });
 * const Notes = Schema("notes", (prop) => ({ id: prop.integer().identifier(), ...stamps(prop) }));
 * ```
 */
export interface FieldBuilder {
  /**
   * A whole number, stored as INTEGER. A `number`, exact within 2^53; with `{ mode: "bigint" }` a
   * `bigint` of 64 bits.
   */
  integer(options?: { readonly mode?: "number" }): Integer;
  integer(options: { readonly mode: "bigint" }): BigInteger;
  integer<const Name extends string>(
    name: Name,
    options?: { readonly mode?: "number" },
  ): Integer<Name>;
  integer<const Name extends string>(
    name: Name,
    options: { readonly mode: "bigint" },
  ): BigInteger<Name>;

  /**
   * A floating-point number, stored as REAL. Infinities are numbers; NaN is refused, SQLite has
   * none.
   */
  real(): Property<number, NewFacts<"real">>;
  real<const Name extends string>(name: Name): Property<number, NewFacts<"real", Name>>;

  /** Text, stored as TEXT. */
  text(): Property<string, NewFacts<"text">>;
  text<const Name extends string>(name: Name): Property<string, NewFacts<"text", Name>>;

  /** Bytes, stored as BLOB, a `Uint8Array`. */
  blob(): Property<Uint8Array, NewFacts<"blob">>;
  blob<const Name extends string>(name: Name): Property<Uint8Array, NewFacts<"blob", Name>>;

  /** True or false, stored as INTEGER 1 or 0; the database refuses other numbers. */
  boolean(): Property<boolean, NewFacts<"boolean">>;
  boolean<const Name extends string>(name: Name): Property<boolean, NewFacts<"boolean", Name>>;

  /** A moment: a `Date`, stored as INTEGER milliseconds since 1970 UTC. */
  datetime(): Property<Date, NewFacts<"datetime">>;
  datetime<const Name extends string>(name: Name): Property<Date, NewFacts<"datetime", Name>>;

  /**
   * A tree of JSON of the shape that is named, stored as TEXT; the database refuses what is not
   * JSON.
   */
  node<Shape>(name?: string): Property<Shape, NewFacts<"node">>;

  /** One of the options, which the database enforces. */
  enum<const Options extends EnumOptions>(config: { readonly options: Options }): Enum<Options>;
  enum<const Name extends string, const Options extends EnumOptions>(
    name: Name,
    config: { readonly options: Options },
  ): Enum<Options, Name>;

  /** A type of your own. The string is its name in the schema, not the column's. */
  custom<Value>(
    typeName: string,
    options?: CustomOptions<Value>,
  ): Property<Value, NewFacts<"custom">>;
}

const STORAGE = {
  integer: "INTEGER",
  bigint: "INTEGER",
  real: "REAL",
  text: "TEXT",
  blob: "BLOB",
  boolean: "INTEGER",
  datetime: "INTEGER",
  node: "TEXT",
  enum: "TEXT",
  numbered: "INTEGER",
  custom: "ANY",
} as const satisfies Record<PropertyType, StorageClass>;

const CUSTOM_STORAGE: Readonly<Record<string, StorageClass>> = {
  integer: "INTEGER",
  real: "REAL",
  text: "TEXT",
  blob: "BLOB",
  any: "ANY",
};

function property(
  value: Omit<ValueShape, "array">,
  name: unknown,
  storage: StorageClass = STORAGE[value.type],
): never {
  if (name !== undefined && (typeof name !== "string" || name === "")) {
    throw invalidSchema("a column's name is a string that is not empty");
  }
  // The declared type of each method below says what its property is; the class itself cannot know.
  return new Property({
    ...value,
    storage,
    ...(name === undefined ? {} : { name }),
    required: true,
    identifier: false,
    autoIncrement: false,
    unique: false,
    index: false,
    array: false,
    checks: [],
  }) as never;
}

type CustomGiven = Partial<Pick<CustomShape, "toDriver" | "fromDriver">> & {
  readonly name?: string;
  readonly storage?: string;
};

/** The one `prop` that every builder is called with. */
export const fieldBuilder: FieldBuilder = Object.freeze({
  integer(first?: string | { readonly mode?: string }, second?: { readonly mode?: string }) {
    const mode = (typeof first === "object" ? first : second)?.mode ?? "number";
    if (mode !== "number" && mode !== "bigint") {
      throw invalidSchema('the mode of an integer is "number" or "bigint"');
    }
    const type = mode === "bigint" ? "bigint" : "integer";
    return property({ type }, typeof first === "object" ? undefined : first);
  },
  real: (name?: string) => property({ type: "real" }, name),
  text: (name?: string) => property({ type: "text" }, name),
  blob: (name?: string) => property({ type: "blob" }, name),
  boolean: (name?: string) => property({ type: "boolean" }, name),
  datetime: (name?: string) => property({ type: "datetime" }, name),
  node: (name?: string) => property({ type: "node" }, name),
  enum(first: unknown, second?: unknown) {
    const [name, config] = typeof first === "string" ? [first, second] : [undefined, first];
    const { options } = (config ?? {}) as { options?: EnumOptions };
    return property(Array.isArray(options) ? named(options) : numbered(options), name);
  },
  custom(typeName: string, options: CustomGiven = {}) {
    if (typeof typeName !== "string" || typeName === "") {
      throw invalidSchema('a custom type has a name: prop.custom<Point>("point")');
    }
    const storage = CUSTOM_STORAGE[options.storage ?? "any"];
    if (!storage)
      throw invalidSchema(
        `the storage of "${typeName}" is one of ${Object.keys(CUSTOM_STORAGE).join(", ")}`,
      );
    const custom: CustomShape = Object.freeze({
      name: typeName,
      storage,
      ...(options.toDriver && { toDriver: options.toDriver }),
      ...(options.fromDriver && { fromDriver: options.fromDriver }),
    });
    return property({ type: "custom", custom }, options.name, storage);
  },
});

function named(options: readonly unknown[]): Omit<ValueShape, "array"> {
  const names = options.filter((option) => typeof option === "string");
  if (names.length === 0 || new Set(names).size !== options.length) {
    throw invalidSchema("the options of an enum are names, at least one and none twice");
  }
  return { type: "enum", options: Object.freeze(names) };
}

function numbered(options: unknown): Omit<ValueShape, "array"> {
  const entries = typeof options === "object" && options !== null ? Object.entries(options) : [];
  const numbers = entries.map(([, number]) => number);
  if (
    entries.length === 0 ||
    new Set(numbers).size !== numbers.length ||
    !numbers.every(Number.isSafeInteger)
  ) {
    throw invalidSchema(
      "the options of an enum are names, or names with whole numbers, at least one and none twice",
    );
  }
  return { type: "numbered", numbers: Object.freeze(Object.fromEntries(entries)) };
}
