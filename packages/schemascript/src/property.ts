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
  /** What the referenced row is called in `with`, where it is not the key without its Id. */
  readonly name?: string;
  /** What the rows that refer are called in `with`, where it is not their table's key. */
  readonly inverse?: string;
  /** Checked at the end of a transaction, not of each statement. */
  readonly deferred?: boolean;
}

/** A default: a value, and the form in which it is stored; or an SQL expression. */
export type DefaultShape =
  | { readonly value: unknown; readonly stored: unknown }
  | { readonly expression: SQL };

/** A bound of a column's values: a number, or a bigint or Date where the values are. */
export type BoundShape = number | bigint | Date;

/** A condition on a column: SQL, or a function of the column that answers it. */
export type CheckShape = SQL | ((column: SQL) => unknown);

/** What SQLite computes. A function is asked only when tables are made of it. */
export interface GeneratedShape {
  readonly expression: SQL | (() => unknown);
  readonly stored: boolean;
}

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
  /** Whether `unique` is a constraint of the table, not an index of its own. */
  readonly uniqueConstraint?: boolean;
  /** Whether an index of its own, not a unique one, was asked for. */
  readonly index: boolean;
  readonly default?: DefaultShape;
  readonly reference?: ReferenceShape;
  readonly generated?: GeneratedShape;
  readonly checks: readonly CheckShape[];
  /**
   * The least and the greatest: value of a number or a datetime, count of a text's characters (code
   * points), a blob's bytes or an array's elements. Both are themselves allowed.
   */
  readonly min?: BoundShape;
  readonly max?: BoundShape;
  /** The exact count of characters, bytes or elements. */
  readonly length?: number;
  readonly pattern?: RegExp;
  /** What the column is declared as, where it is not its storage. */
  readonly declared?: string;
  /** How SQLite compares its texts. */
  readonly collation?: string;
  /** Whether a property that is required has no NOT NULL all the same. */
  readonly withoutNotNull?: boolean;
  /** The column's name before it was renamed. */
  readonly was?: string;
  readonly description?: string;
}

/**
 * Where a property's reference leads, and the names of the relation, for the types.
 *
 * @example
 * ```ts
 * import type { Facts, ReferenceFact } from "schemascript";
 *
 * type IsReference<F extends Facts> = F["reference"] extends ReferenceFact ? true : false;
 * ```
 */
export interface ReferenceFact {
  readonly target: Function;
  readonly name: string | undefined;
  readonly inverse: string | undefined;
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
  readonly array: boolean;
  /** Whether it has one of min(), max(), length() and pattern(). */
  readonly bounded: boolean;
  readonly generated: boolean;
  readonly reference: ReferenceFact | undefined;
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
  readonly array: false;
  readonly bounded: false;
  readonly generated: false;
  readonly reference: undefined;
};

/**
 * Facts of which a modifier has changed some.
 *
 * @example
 * ```ts
 * import type { Changed, NewFacts, Property } from "schemascript";
 *
 * type OptionalText = Property<string, Changed<NewFacts<"text">, { required: false }>>;
 * ```
 */
export type Changed<F extends Facts, Changes extends Partial<Facts>> = {
  readonly [Fact in keyof Facts]: Fact extends keyof Changes ? Changes[Fact] : F[Fact];
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
  arrayIdentifier: "an identifier cannot be an array",
  arrayReference: "an array cannot reference a column",
  arrayDefault: "array() comes before default()",
  arrayBounds: "array() comes before min(), max(), length() and pattern()",
  arrayOfArrays: "an array holds no arrays: use prop.node<T[][]>()",
  generatedDefault: "a generated column has no default",
  generatedIdentifier: "a generated column cannot be an identifier",
  length: "length() is for texts, blobs and arrays",
  pattern: "pattern() is for texts",
} as const;

// As SQLite's grammar has the type of a column: words or names in quotes, and up to two numbers.
const DECLARED_TYPE =
  /^(?:(?:[A-Za-z_\u0080-\u{10ffff}][\w$\u0080-\u{10ffff}]*|"(?:[^"]|"")*"|\[[^\]]*\]|`[^`]*`|'(?:[^']|'')*')(?:\s+|(?=\()|$))+(?:\(\s*[+-]?[\w.]+\s*(?:,\s*[+-]?[\w.]+\s*)?\))?$/u;
// Where the type would end, and something else begin.
const NO_TYPE =
  /(?<![\w"'`[$])(?:constraint|primary|not|null|unique|check|default|collate|references|generated|always|as|deferrable|on)(?![\w$])/i;

/** What a bound may be, for each type: the same in a type error and in an exception. */
export const BOUNDS = {
  integer: "the bound of an integer is a whole number within 2^53",
  bigint: "the bound of a bigint integer is a bigint of 64 bits",
  real: "the bound of a real is a number",
  text: "the bound of a text is a number of characters",
  blob: "the bound of a blob is a number of bytes",
  boolean: "a boolean has no bounds",
  datetime: "the bound of a datetime is a Date",
  node: "a node has no bounds",
  enum: "an enum has no bounds",
  numbered: "an enum has no bounds",
  custom: "a custom type has no bounds: use check()",
  array: "the bound of an array is a number of elements",
} as const satisfies Record<PropertyType | "array", string>;

interface BoundTypes {
  readonly integer: number;
  readonly bigint: bigint;
  readonly real: number;
  readonly text: number;
  readonly blob: number;
  readonly datetime: Date;
}

/** What min() and max() take. */
type Bound<F extends Facts> = F["array"] extends true
  ? number | Misuse<typeof BOUNDS.array>
  :
      | (F["type"] extends keyof BoundTypes ? BoundTypes[F["type"]] : never)
      | Misuse<(typeof BOUNDS)[F["type"]]>;

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
  array: "the default of an array is an array or SQL",
} as const satisfies Record<PropertyType | "array", string>;

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

/** What `references` takes beside the column. */
export interface ReferenceOptions<
  Name extends string | undefined = string | undefined,
  Inverse extends string | undefined = string | undefined,
> {
  readonly onDelete?: ReferenceAction;
  readonly onUpdate?: ReferenceAction;
  /** What the referenced row is called in `with`; otherwise it is the key without its Id. */
  readonly name?: Name;
  /** What the rows that refer are called in `with`; otherwise it is their table's key. */
  readonly inverse?: Inverse;
  /**
   * Whether it is checked at the end of a transaction, so that rows may come in any order
   * (DEFERRABLE INITIALLY DEFERRED).
   */
  readonly deferred?: boolean;
}

type Integral = "integer" | "bigint";

// A generated column counts as having a default, and says so itself.
type NumberedDefault<F extends Facts> = F["type"] extends Integral
  ? F["generated"] extends true
    ? false
    : F["hasDefault"]
  : false;

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
    this.#shape = Object.freeze({ ...shape, checks: Object.freeze([...shape.checks]) });
    Object.freeze(this);
  }

  /**
   * Makes the column the primary key. An integer is then numbered by SQLite where an insert leaves
   * it out; with `autoIncrement`, a number is never given twice, even after its row was deleted.
   */
  identifier(
    this: this &
      Unless<F["required"] extends false ? true : false, typeof MISUSE.optionalIdentifier> &
      Unless<F["array"], typeof MISUSE.arrayIdentifier> &
      Unless<F["generated"], typeof MISUSE.generatedIdentifier> &
      Unless<NumberedDefault<F>, typeof MISUSE.numberedDefault>,
    options?: {
      readonly autoIncrement?: F["type"] extends Integral
        ? boolean
        : Misuse<typeof MISUSE.autoIncrement>;
    },
  ): Property<
    Value,
    Changed<
      F,
      {
        readonly identifier: true;
        readonly hasDefault: F["type"] extends Integral ? true : F["hasDefault"];
      }
    >
  > {
    const shape = this.#shape;
    const autoIncrement = (options?.autoIncrement ?? false) as boolean;
    if (!shape.required) throw invalidSchema(MISUSE.optionalIdentifier);
    if (shape.array) throw invalidSchema(MISUSE.arrayIdentifier);
    if (shape.generated) throw invalidSchema(MISUSE.generatedIdentifier);
    if (isIntegral(shape) && shape.default) throw invalidSchema(MISUSE.numberedDefault);
    if (autoIncrement && !isIntegral(shape)) throw invalidSchema(MISUSE.autoIncrement);
    return new Property({ ...shape, identifier: true, autoIncrement });
  }

  /** Allows NULL; nothing else does. */
  optional(
    this: this & Unless<F["identifier"], typeof MISUSE.optionalIdentifier>,
  ): Property<Value, Changed<F, { readonly required: false }>> {
    if (this.#shape.identifier) throw invalidSchema(MISUSE.optionalIdentifier);
    return new Property({ ...this.#shape, required: false });
  }

  /**
   * No two rows may hold the same value (NULL is never the same). Kept by an index
   * `table_column_unique`; with `constraint`, by a UNIQUE of the column itself, as databases have it
   * that were made by hand.
   */
  unique(options?: { readonly constraint?: boolean }): Property<Value, F> {
    const uniqueConstraint = options?.constraint ?? false;
    return new Property({ ...this.#shape, unique: true, uniqueConstraint });
  }

  /** Makes an index `table_column_index`, for queries that look for values of this column. */
  index(): Property<Value, F> {
    return new Property({ ...this.#shape, index: true });
  }

  /**
   * What an insert stores when it leaves the column out: a value, an SQL expression, or
   * `value.now()` and its like.
   */
  default(
    this: this &
      Unless<F["generated"], typeof MISUSE.generatedDefault> &
      Unless<F["type"] extends Integral ? F["identifier"] : false, typeof MISUSE.numberedDefault>,
    value: F["array"] extends true
      ? Value | SQL | Misuse<typeof DEFAULTS.array>
      : Value | SQL | Shortcut<F["type"]> | Misuse<(typeof DEFAULTS)[F["type"]]>,
  ): Property<Value, Changed<F, { readonly hasDefault: true }>> {
    const shape = this.#shape;
    if (shape.generated) throw invalidSchema(MISUSE.generatedDefault);
    if (isIntegral(shape) && shape.identifier) throw invalidSchema(MISUSE.numberedDefault);
    return new Property({ ...shape, default: defaultShape(shape, value) });
  }

  /**
   * Every value must be one that the referenced column holds. The column is named in a function, so
   * that a table can refer to itself or to one that is defined later: `.references(() =>
   * Users.id)`. `name` and `inverse` are the two sides of the relation for `db.query`.
   */
  references<
    // Not `() => Column`: TypeScript would have to know the column's type to know the table's, and
    // a table that refers to itself would need an annotation. That it is a column that fits is
    // checked when SQL is made of it.
    const Target extends Function,
    const Name extends string | undefined = undefined,
    const Inverse extends string | undefined = undefined,
  >(
    this: this & Unless<F["array"], typeof MISUSE.arrayReference>,
    target: Target,
    options?: ReferenceOptions<Name, Inverse>,
  ): Property<
    Value,
    Changed<
      F,
      {
        readonly reference: {
          readonly target: Target;
          readonly name: Name;
          readonly inverse: Inverse;
        };
      }
    >
  > {
    if (this.#shape.array) throw invalidSchema(MISUSE.arrayReference);
    if (typeof target !== "function") {
      throw invalidSchema("references() takes a function that answers a column: () => Users.id");
    }
    const { onDelete, onUpdate, name, inverse, deferred } = options ?? {};
    for (const each of [name, inverse]) {
      if (each !== undefined && (typeof each !== "string" || each === "")) {
        throw invalidSchema("the name and the inverse of a reference are strings, not empty");
      }
    }
    return new Property({
      ...this.#shape,
      reference: Object.freeze({
        target: target as unknown as () => unknown,
        ...(onDelete && { onDelete }),
        ...(onUpdate && { onUpdate }),
        ...(name && { name }),
        ...(inverse && { inverse }),
        ...(deferred && { deferred }),
      }),
    });
  }

  /**
   * A list of such values, stored as JSON text; the database refuses what is not a JSON array.
   * Comes before `default()` and before the bounds, which then count the elements.
   */
  array(
    this: this &
      Unless<F["array"], typeof MISUSE.arrayOfArrays> &
      Unless<F["identifier"], typeof MISUSE.arrayIdentifier> &
      Unless<F["reference"] extends undefined ? false : true, typeof MISUSE.arrayReference> &
      Unless<F["hasDefault"], typeof MISUSE.arrayDefault> &
      Unless<F["bounded"], typeof MISUSE.arrayBounds>,
  ): Property<Value[], Changed<F, { readonly array: true }>> {
    const shape = this.#shape;
    if (shape.array) throw invalidSchema(MISUSE.arrayOfArrays);
    if (shape.identifier) throw invalidSchema(MISUSE.arrayIdentifier);
    if (shape.reference) throw invalidSchema(MISUSE.arrayReference);
    if (shape.default) throw invalidSchema(MISUSE.arrayDefault);
    if (isBounded(shape)) throw invalidSchema(MISUSE.arrayBounds);
    return new Property({ ...shape, array: true, storage: "TEXT" });
  }

  /**
   * A condition that the database enforces (one that is NULL holds): SQL, or a function of the
   * column that answers it.
   */
  check(condition: SQL | ((column: SQL) => SQL)): Property<Value, F> {
    if (!is(condition, SQL) && typeof condition !== "function") {
      throw invalidSchema("check() takes SQL, or a function of the column that answers it");
    }
    return new Property({ ...this.#shape, checks: [...this.#shape.checks, condition] });
  }

  /** The least value of a number or a datetime; the least length of a text, a blob or an array. */
  min(least: Bound<F>): Property<Value, Changed<F, { readonly bounded: true }>> {
    return new Property(bounded(this.#shape, { min: boundShape(this.#shape, least) }));
  }

  /** The greatest value of a number or a datetime; the greatest length of the others. */
  max(greatest: Bound<F>): Property<Value, Changed<F, { readonly bounded: true }>> {
    return new Property(bounded(this.#shape, { max: boundShape(this.#shape, greatest) }));
  }

  /** Exactly so many characters of a text, bytes of a blob, or elements of an array. */
  length(
    this: this &
      Unless<
        F["array"] extends true ? false : F["type"] extends "text" | "blob" ? false : true,
        typeof MISUSE.length
      >,
    count: number,
  ): Property<Value, Changed<F, { readonly bounded: true }>> {
    const shape = this.#shape;
    if (!isCounted(shape)) throw invalidSchema(MISUSE.length);
    return new Property(bounded(shape, { length: boundShape(shape, count) as number }));
  }

  /**
   * Where a text must match. The database enforces what GLOB can say; the validators enforce every
   * pattern.
   */
  pattern(
    this: this &
      Unless<
        F["array"] extends true ? true : F["type"] extends "text" ? false : true,
        typeof MISUSE.pattern
      >,
    expression: RegExp,
  ): Property<Value, Changed<F, { readonly bounded: true }>> {
    const shape = this.#shape;
    if (shape.array || shape.type !== "text") throw invalidSchema(MISUSE.pattern);
    if (!(expression instanceof RegExp) || /[gy]/.test(expression.flags)) {
      throw invalidSchema("pattern() takes a regular expression without the flags g and y");
    }
    return new Property(bounded(shape, { pattern: Object.freeze(new RegExp(expression)) }));
  }

  /**
   * A column that SQLite computes: when it is read or, with `stored`, when the row is written. Other
   * columns are named in the SQL, or through their table in a function that answers it.
   */
  generated(
    this: this &
      Unless<
        F["identifier"] extends true
          ? false
          : F["generated"] extends true
            ? false
            : F["hasDefault"],
        typeof MISUSE.generatedDefault
      > &
      Unless<F["identifier"], typeof MISUSE.generatedIdentifier>,
    // A function's type is not looked at, for the reason that `references` gives.
    expression: SQL | Function,
    options?: { readonly stored?: boolean },
  ): Property<Value, Changed<F, { readonly generated: true; readonly hasDefault: true }>> {
    const shape = this.#shape;
    if (shape.identifier) throw invalidSchema(MISUSE.generatedIdentifier);
    if (shape.default) throw invalidSchema(MISUSE.generatedDefault);
    if (!is(expression, SQL) && typeof expression !== "function") {
      throw invalidSchema("generated() takes SQL, or a function that answers it");
    }
    return new Property({
      ...shape,
      generated: Object.freeze({
        expression: expression as SQL | (() => unknown),
        stored: options?.stored ?? false,
      }),
    });
  }

  /**
   * What the column is declared as, where it is not `prop`'s own type: `NVARCHAR(160)`. For tables
   * with `strict: false`; what SQLite then does with a value is told by its rules of affinity.
   */
  declaredAs(type: string): Property<Value, F> {
    if (typeof type !== "string" || !DECLARED_TYPE.test(type) || NO_TYPE.test(type)) {
      throw invalidSchema(
        'declaredAs() takes words, and up to two numbers in parentheses: "DECIMAL(10,2)"',
      );
    }
    return new Property({ ...this.#shape, declared: type });
  }

  /**
   * How SQLite compares and sorts the column's texts: `nocase` (the letters A to Z are equal to a
   * to z), `rtrim` (blanks at the end do not count), or `binary`, which is so without it.
   */
  collate(name: string): Property<Value, F> {
    if (typeof name !== "string" || !/^[A-Za-z_]\w*$/.test(name)) {
      throw invalidSchema('collate() takes the name of a collation: "nocase"');
    }
    return new Property({ ...this.#shape, collation: name });
  }

  /**
   * Leaves out NOT NULL, and nothing else: for an identifier of a database that was made without
   * it. SQLite then takes NULL in it; the types do not.
   */
  withoutNotNull(): Property<Value, F> {
    return new Property({ ...this.#shape, withoutNotNull: true });
  }

  /** The column's name before it was renamed: a migration keeps its values. */
  was(name: string): Property<Value, F> {
    if (typeof name !== "string" || name === "") {
      throw invalidSchema("was() takes the column's name before");
    }
    return new Property({ ...this.#shape, was: name });
  }

  /** What the column is for, for people: it stands in every output. */
  describe(description: string): Property<Value, F> {
    if (typeof description !== "string") throw invalidSchema("describe() takes a string");
    return new Property({ ...this.#shape, description });
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

function isBounded({ min, max, length, pattern }: PropertyShape): boolean {
  return [min, max, length, pattern].some((each) => each !== undefined);
}

// Whether the bounds are counts: of characters, bytes or elements.
function isCounted(shape: PropertyShape): boolean {
  return shape.array || shape.type === "text" || shape.type === "blob";
}

function boundShape(shape: PropertyShape, bound: unknown): BoundShape {
  const fits = isCounted(shape)
    ? Number.isSafeInteger(bound) && (bound as number) >= 0
    : ["integer", "bigint", "real", "datetime"].includes(shape.type) && isDefault(shape, bound);
  if (!fits) throw invalidSchema(BOUNDS[shape.array ? "array" : shape.type]);
  return copyOf(bound) as BoundShape;
}

function bounded(shape: PropertyShape, bounds: Partial<PropertyShape>): PropertyShape {
  const changed = { ...shape, ...bounds };
  const { min, max } = changed;
  if (min !== undefined && max !== undefined && min > max) {
    throw invalidSchema("min() is above max(): nothing is between them");
  }
  return changed;
}

function defaultShape(shape: PropertyShape, value: unknown): DefaultShape {
  const expression = is(value, SQL) ? value : expressionOf(shape, value);
  if (expression) return Object.freeze({ expression });
  const isFit = shape.array
    ? Array.isArray(value) && value.every((element) => isDefault(shape, element))
    : isDefault(shape, value);
  if (!isFit) throw invalidSchema(DEFAULTS[shape.array ? "array" : shape.type]);
  // A value that its owner can still change is copied.
  const kept = shape.type === "custom" ? value : copyOf(value);
  return Object.freeze({ value: kept, stored: toStored(shape, kept, "a default") });
}

function expressionOf(shape: PropertyShape, value: unknown): SQL | undefined {
  const byType = typeof value === "function" ? expressions.get(value) : undefined;
  if (!byType) return undefined;
  const expression = shape.array ? undefined : byType[shape.type];
  if (!expression) throw invalidSchema(DEFAULTS[shape.array ? "array" : shape.type]);
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
  if (Array.isArray(value)) return value.map(copyOf);
  return typeof value === "object" ? JSON.parse(JSON.stringify(value)) : value;
}
