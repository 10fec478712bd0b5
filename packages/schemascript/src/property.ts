// One column, not yet part of a table: what it is (PropertyShape), and the modifiers that answer a
// changed copy.
import { is, SQL } from "drizzle-orm";
import { invalidSchema } from "./errors.js";
import { toStored, type PropertyType, type StorageClass, type ValueShape } from "./storage.js";

/**
 * What SQLite does with a row whose referenced row is deleted or changes its key.
 *
 * @example
 * ```ts
 * import type { ReferenceAction } from "schemascript";
 *
 * const onDelete: ReferenceAction = "cascade";
 * ```
 */
export type ReferenceAction = "cascade" | "restrict" | "set null" | "set default" | "no action";

/**
 * A foreign key. `target` is asked only when tables are made of it, so that tables may refer to
 * each other.
 */
export interface ReferenceShape {
  readonly target: () => unknown;
  readonly onDelete?: ReferenceAction;
  readonly onUpdate?: ReferenceAction;
}

/** A default: a value, and the form in which it is stored; or an SQL expression. */
export type DefaultShape =
  | { readonly value: unknown; readonly stored: unknown }
  | { readonly expression: SQL };

/**
 * All that is known about a property. Plain, frozen; every output of the language is made from it.
 */
export interface PropertyShape extends ValueShape {
  readonly storage: StorageClass;
  /** The column's name where it was given; otherwise it is the property's key. */
  readonly name?: string;
  readonly required: boolean;
  readonly identifier: boolean;
  readonly autoIncrement: boolean;
  readonly unique: boolean;
  readonly default?: DefaultShape;
  readonly reference?: ReferenceShape;
}

/**
 * What the types know about a property, beside its value.
 *
 * @example
 * ```ts
 * import type { Facts, Property } from "schemascript";
 *
 * const isMine = (property: Property<number, Facts>, mine: readonly object[]) =>
 *   mine.includes(property);
 * ```
 */
export interface Facts {
  readonly type: PropertyType;
  readonly name: string | undefined;
  readonly options: readonly string[] | undefined;
  readonly required: boolean;
  readonly hasDefault: boolean;
  readonly identifier: boolean;
}

/**
 * The facts of a property that was just made.
 *
 * @example
 * ```ts
 * import { Table, type NewFacts, type Property } from "schemascript";
 *
 * const nickname = (property: Property<string, NewFacts<"text">>) => property.optional().unique();
 * const users = Table("users", (prop) => ({ nickname: nickname(prop.text()) }));
 * ```
 */
export type NewFacts<
  Type extends PropertyType,
  Name extends string | undefined = undefined,
  Options extends readonly string[] | undefined = undefined,
> = {
  readonly type: Type;
  readonly name: Name;
  readonly options: Options;
  readonly required: true;
  readonly hasDefault: false;
  readonly identifier: false;
};

declare const misuse: unique symbol;

/**
 * A type that nothing has: what a wrong call is compared with, so that the compiler shows the
 * sentence.
 */
export interface Misuse<Sentence extends string> {
  readonly [misuse]: Sentence;
}

/** Nothing to ask for, or a sentence where `Wrong` is true. */
export type Unless<Wrong, Sentence extends string> = Wrong extends true
  ? Misuse<Sentence>
  : unknown;

/** The sentences for what cannot be combined: the same in a type error and in an exception. */
export const MISUSE = {
  optionalIdentifier: "an identifier cannot be optional",
  numberedDefault: "an integer identifier is numbered by SQLite and has no default",
  autoIncrement: "autoIncrement needs an integer",
} as const;

/** What a default may be, for each type: the same in a type error and in an exception. */
export const DEFAULTS = {
  integer: "the default of an integer is a whole number within 2^53, value.now() or SQL",
  bigint: "the default of a bigint integer is a bigint of 64 bits, value.now() or SQL",
  real: "the default of a real is a number or SQL",
  text: "the default of a text is a string, value.now(), value.uuid() or SQL",
  blob: "the default of a blob is a Uint8Array or SQL",
  boolean: "the default of a boolean is true, false or SQL",
  datetime: "the default of a datetime is a Date, value.now() or SQL",
  node: "the default of a node is its value or SQL",
  enum: "the default of an enum is one of its options or SQL",
  numbered: "the default of an enum is one of its options or SQL",
  custom: "the default of a custom type is its value or SQL",
} as const satisfies Record<PropertyType, string>;

declare const fits: unique symbol;

/**
 * A default that fits the property it is used on, like `value.now`. It can be called, and answers
 * itself.
 *
 * @example
 * ```ts
 * import { Schema, value, type Shortcut } from "schemascript";
 *
 * const now: Shortcut<"integer"> = value.now;
 * const Visits = Schema("visits", (prop) => ({ at: prop.integer().default(now) }));
 * ```
 */
export interface Shortcut<Type extends PropertyType = PropertyType> {
  (): Shortcut<Type>;
  readonly [fits]: { readonly [Each in Type]: true };
}

// The expressions are kept beside the functions, which stay plain: nobody can make a Shortcut from
// outside.
const expressions = new WeakMap<object, Partial<Record<PropertyType, SQL>>>();

/** Makes a shortcut of one SQL expression for each type that it fits. */
export function shortcut<Type extends PropertyType>(byType: {
  readonly [Each in Type]: SQL;
}): Shortcut<Type> {
  const itself: unknown = Object.freeze(() => itself);
  expressions.set(itself as object, byType);
  return itself as Shortcut<Type>;
}

/** Whatever `references` leads to has one of these: enough to write the foreign key. */
export interface ReferenceActions {
  readonly onDelete?: ReferenceAction;
  readonly onUpdate?: ReferenceAction;
}

type Integral = "integer" | "bigint";

/**
 * Any property: what a builder's object holds.
 *
 * @example
 * ```ts
 * import { Table, type AnyProperty } from "schemascript";
 *
 * function single<Column extends AnyProperty>(column: Column) {
 *   return Table("single", () => ({ column }));
 * }
 * ```
 */
export interface AnyProperty {
  readonly _: { readonly value: unknown; readonly facts: Facts };
}

/**
 * One column, not yet part of a table. Immutable: every modifier answers a new property.
 *
 * @example
 * ```ts
 * import { Schema } from "schemascript";
 *
 * const Users = Schema("users", (prop) => {
 *   const name = prop.text();
 *   return { id: prop.integer().identifier(), name, nickname: name.optional().unique() };
 * });
 * ```
 */
export class Property<Value, F extends Facts> implements AnyProperty {
  /** Exists for the type checker only. */
  declare readonly _: { readonly value: Value; readonly facts: F };
  readonly #shape: PropertyShape;

  constructor(shape: PropertyShape) {
    this.#shape = Object.freeze({ ...shape });
    Object.freeze(this);
  }

  /**
   * Makes the column the primary key. An integer is then numbered by SQLite where an insert leaves
   * it out; with `autoIncrement`, a number is never given twice, even after its row was deleted.
   */
  identifier(
    this: this &
      Unless<F["required"] extends false ? true : false, typeof MISUSE.optionalIdentifier> &
      Unless<F["type"] extends Integral ? F["hasDefault"] : false, typeof MISUSE.numberedDefault>,
    options?: {
      readonly autoIncrement?: F["type"] extends Integral
        ? boolean
        : Misuse<typeof MISUSE.autoIncrement>;
    },
  ): Property<
    Value,
    {
      readonly type: F["type"];
      readonly name: F["name"];
      readonly options: F["options"];
      readonly required: true;
      readonly hasDefault: F["type"] extends Integral ? true : F["hasDefault"];
      readonly identifier: true;
    }
  > {
    const shape = this.#shape;
    const autoIncrement = (options?.autoIncrement ?? false) as boolean;
    if (!shape.required) throw invalidSchema(MISUSE.optionalIdentifier);
    if (isIntegral(shape) && shape.default) throw invalidSchema(MISUSE.numberedDefault);
    if (autoIncrement && !isIntegral(shape)) throw invalidSchema(MISUSE.autoIncrement);
    return new Property({ ...shape, identifier: true, autoIncrement });
  }

  /** Allows NULL; nothing else does. */
  optional(this: this & Unless<F["identifier"], typeof MISUSE.optionalIdentifier>): Property<
    Value,
    {
      readonly type: F["type"];
      readonly name: F["name"];
      readonly options: F["options"];
      readonly required: false;
      readonly hasDefault: F["hasDefault"];
      readonly identifier: F["identifier"];
    }
  > {
    if (this.#shape.identifier) throw invalidSchema(MISUSE.optionalIdentifier);
    return new Property({ ...this.#shape, required: false });
  }

  /**
   * No two rows may hold the same value (NULL is never the same). Kept by an index
   * `table_column_unique`.
   */
  unique(): Property<Value, F> {
    return new Property({ ...this.#shape, unique: true });
  }

  /**
   * What an insert stores when it leaves the column out: a value, an SQL expression, or
   * `value.now()` and its like.
   */
  default(
    this: this &
      Unless<F["type"] extends Integral ? F["identifier"] : false, typeof MISUSE.numberedDefault>,
    value: Value | SQL | Shortcut<F["type"]> | Misuse<(typeof DEFAULTS)[F["type"]]>,
  ): Property<
    Value,
    {
      readonly type: F["type"];
      readonly name: F["name"];
      readonly options: F["options"];
      readonly required: F["required"];
      readonly hasDefault: true;
      readonly identifier: F["identifier"];
    }
  > {
    const shape = this.#shape;
    if (isIntegral(shape) && shape.identifier) throw invalidSchema(MISUSE.numberedDefault);
    return new Property({ ...shape, default: defaultShape(shape, value) });
  }

  /**
   * Every value must be one that the referenced column holds. The column is named in a function, so
   * that a table can refer to itself or to one that is defined later: `.references(() =>
   * Users.id)`.
   */
  references(
    // Not `() => Column`: TypeScript would have to know the column's type to know the table's, and
    // a table that refers to itself would need an annotation. That it is a column that fits is
    // checked when SQL is made of it.
    target: Function,
    actions?: ReferenceActions,
  ): Property<Value, F> {
    if (typeof target !== "function") {
      throw invalidSchema("references() takes a function that answers a column: () => Users.id");
    }
    return new Property({
      ...this.#shape,
      reference: Object.freeze({ ...actions, target: target as () => unknown }),
    });
  }

  /** For the layers above: the shape of a property, or undefined for what is none. */
  static shapeOf(property: unknown): PropertyShape | undefined {
    return typeof property === "object" && property !== null && #shape in property
      ? property.#shape
      : undefined;
  }
}

function isIntegral(shape: PropertyShape): boolean {
  return shape.type === "integer" || shape.type === "bigint";
}

function defaultShape(shape: PropertyShape, value: unknown): DefaultShape {
  const expression = is(value, SQL) ? value : expressionOf(shape, value);
  if (expression) return Object.freeze({ expression });
  if (!isDefault(shape, value)) throw invalidSchema(DEFAULTS[shape.type]);
  // A value that its owner can still change is copied.
  const kept = shape.type === "custom" ? value : copyOf(value);
  return Object.freeze({ value: kept, stored: toStored(shape, kept, "a default") });
}

function expressionOf(shape: PropertyShape, value: unknown): SQL | undefined {
  const byType = typeof value === "function" ? expressions.get(value) : undefined;
  if (!byType) return undefined;
  const expression = byType[shape.type];
  if (!expression) throw invalidSchema(DEFAULTS[shape.type]);
  return expression;
}

function isDefault(shape: PropertyShape, value: unknown): boolean {
  switch (shape.type) {
    case "integer":
      return Number.isSafeInteger(value);
    case "bigint":
      return typeof value === "bigint" && BigInt.asIntN(64, value) === value;
    case "real":
      return typeof value === "number" && !Number.isNaN(value);
    case "text":
      return typeof value === "string";
    case "blob":
      return value instanceof Uint8Array;
    case "boolean":
      return typeof value === "boolean";
    case "datetime":
      return value instanceof Date && !Number.isNaN(value.getTime());
    case "enum":
      return (
        typeof value === "string" && shape.options !== undefined && shape.options.includes(value)
      );
    case "numbered":
      return (
        typeof value === "string" &&
        shape.numbers !== undefined &&
        Object.hasOwn(shape.numbers, value)
      );
    default:
      return value !== undefined && value !== null && typeof value !== "function";
  }
}

function copyOf(value: unknown): unknown {
  if (value instanceof Uint8Array) return Uint8Array.from(value);
  if (value instanceof Date) return new Date(value);
  return typeof value === "object" ? JSON.parse(JSON.stringify(value)) : value;
}
