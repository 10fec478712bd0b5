// How a global gets its place: not enumerable, replaceable, like the built-in ones.

/** Puts values on globalThis. */
export function install(values: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(values)) {
    // The bundler renames what collides with another module's names.
    if (typeof value === "function" && value.name !== name) {
      Object.defineProperty(value, "name", { value: name, configurable: true });
    }
    Object.defineProperty(globalThis, name, {
      value,
      writable: true,
      configurable: true,
      enumerable: false,
    });
  }
}

/** Gives an interface its Symbol.toStringTag, and lists its accessors and methods like WebIDL does. */
export function finishInterface(constructor: { readonly prototype: object }, name: string): void {
  const { prototype } = constructor;
  for (const key of Object.getOwnPropertyNames(prototype)) {
    if (key === "constructor") continue;
    Object.defineProperty(prototype, key, { enumerable: true });
  }
  Object.defineProperty(prototype, Symbol.toStringTag, { value: name, configurable: true });
}

type Inspect = (value: unknown, options: object) => string;

/** Lets console.log show an object whose state is private as `Name { field: ... }`. */
export function showFields<T extends object>(
  constructor: { readonly prototype: T },
  fields: (object: T) => object,
): void {
  Object.defineProperty(constructor.prototype, Symbol.for("nodejs.util.inspect.custom"), {
    configurable: true,
    writable: true,
    value: function (this: T, depth: number, options: { depth?: number | null }, inspect: Inspect) {
      const name = this.constructor.name;
      if (depth < 0) return `[${name}]`;
      const inner = options.depth == null ? options : { ...options, depth: options.depth - 1 };
      const shown = fields(this);
      // A Map or a Set already prints its own name.
      return `${name} ${inspect(shown, inner)}`.replace(/^(\S+ )(?:Map|Set)\(\d+\) /, "$1");
    },
  });
}
