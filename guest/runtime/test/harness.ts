// The harness of the *.guest.ts files. They are plain programs that print: the same file runs in
// Node, whose own globals are the oracle, in a bare V8 realm with this runtime, in a stock qjs and
// in the sandbox, and must print the same everywhere.

type Body = () => unknown;
const cases: { name: string; body: Body }[] = [];

async function runAll(): Promise<void> {
  let failed = 0;
  for (const { name, body } of cases) {
    try {
      await body();
      console.log(`ok - ${name}`);
    } catch (error) {
      failed += 1;
      const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      console.log(`not ok - ${name}: ${text}`);
    }
  }
  console.log(`# ${cases.length} cases, ${failed} failed`);
}

/** Registers a case; all of them run once the file has been evaluated. */
export function test(name: string, body: Body): void {
  if (cases.length === 0) void Promise.resolve().then(runAll);
  cases.push({ name, body });
}

/** A text for a value that is the same in every engine. */
export function text(value: unknown): string {
  if (value === undefined) return "undefined";
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : String(value);
  if (ArrayBuffer.isView(value)) {
    const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    return `${value.constructor.name}<${Array.from(bytes).join(" ")}>`;
  }
  if (value instanceof ArrayBuffer)
    return `ArrayBuffer<${Array.from(new Uint8Array(value)).join(" ")}>`;
  if (Array.isArray(value)) return `[${Array.from(value, text).join(", ")}]`;
  if (value instanceof Map) return `Map${text([...value])}`;
  if (value instanceof Set) return `Set${text([...value])}`;
  if (value instanceof Date) return `Date(${value.getTime()})`;
  if (value instanceof RegExp) return String(value);
  if (value instanceof Error) return `${value.name}(${value.message})`;
  if (typeof value === "object" && value !== null) {
    return `{${Object.keys(value)
      .map((key) => `${key}: ${text((value as Record<string, unknown>)[key])}`)
      .join(", ")}}`;
  }
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

/** Prints what an engine answers; the runner compares it with what Node printed. */
export function show(label: string, value: unknown): void {
  console.log(`${label} -> ${text(value)}`);
}

/** Prints a result, or the name of what was thrown. */
export function attempt(label: string, compute: () => unknown): void {
  let answer: unknown;
  try {
    answer = compute();
  } catch (error) {
    console.log(`${label} -> throws ${(error as Error).name}`);
    return;
  }
  show(label, answer);
}

export async function attemptAsync(label: string, compute: () => Promise<unknown>): Promise<void> {
  let answer: unknown;
  try {
    answer = await compute();
  } catch (error) {
    console.log(`${label} -> rejects ${(error as Error).name}`);
    return;
  }
  show(label, answer);
}

export function equal(actual: unknown, expected: unknown, what: string = "value"): void {
  const [got, wanted] = [text(actual), text(expected)];
  if (got !== wanted) throw new Error(`${what} is ${got}, not ${wanted}`);
}

export function throws(body: () => unknown, name: string): void {
  try {
    body();
  } catch (error) {
    equal((error as Error).name, name, "the error's name");
    return;
  }
  throw new Error(`nothing was thrown, expected ${name}`);
}
