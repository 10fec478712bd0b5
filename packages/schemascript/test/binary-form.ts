// The binary form of the wire in its most readable shape: what docs/protocol.md says, as a program. Nothing
// but tests uses it; the guest has its own in C++.

export const METHODS = [
  "run",
  "all",
  "values",
  "get",
  "begin",
  "commit",
  "rollback",
  "push",
  "batch",
  "iterate",
  "fetch",
  "close",
] as const;
export type MethodName = (typeof METHODS)[number];
const BEHAVIORS = ["immediate", "deferred", "exclusive"] as const;
const TAGS = { null: 0, integer: 1, real: 2, text: 3, blob: 4, brokenText: 5 } as const;
const ANSWERS = { nothing: 0, transaction: 1, rows: 2, batch: 3 } as const;

/** A request as its sender means it; absent fields are absent. */
export interface BinaryRequest {
  method: MethodName;
  sql?: string;
  params?: unknown[];
  transaction?: number;
  cursor?: number;
  behavior?: string;
  steps?: { method: MethodName; sql: string; params: unknown[] }[];
}

const isStep = (method: MethodName) => METHODS.indexOf(method) <= 3;
const hasParams = (method: MethodName) => isStep(method) || method === "iterate";

/** Takes one number, text or value after the other from a message. */
class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  #take(size: number): number {
    const at = this.#at;
    if (size > this.#bytes.length - at)
      throw new RangeError(`${size} bytes are not there at ${at}`);
    this.#at += size;
    return at;
  }
  u8 = () => this.#view.getUint8(this.#take(1));
  u16 = () => this.#view.getUint16(this.#take(2), true);
  u32 = () => this.#view.getUint32(this.#take(4), true);
  /** A number where that is exact, else a BigInt. */
  i64(): number | bigint {
    const integer = this.#view.getBigInt64(this.#take(8), true);
    return Number.isSafeInteger(Number(integer)) ? Number(integer) : integer;
  }
  f64 = () => this.#view.getFloat64(this.#take(8), true);
  bytes(): Uint8Array {
    const size = this.u32();
    const at = this.#take(size);
    return this.#bytes.slice(at, at + size);
  }
  text = () => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(this.bytes());
  zeros(count: number): void {
    for (; count > 0; count--) if (this.u8() !== 0) throw new RangeError("a byte must be zero");
  }
  end(): void {
    if (this.#at !== this.#bytes.length) throw new RangeError("bytes behind the message");
  }

  value(from: "request" | "answer"): unknown {
    const tag = this.u8();
    switch (tag) {
      case TAGS.null:
        return null;
      case TAGS.integer:
        return this.i64();
      case TAGS.real: {
        const real = this.f64();
        if (Number.isNaN(real)) throw new RangeError("NaN is no value of SQLite's");
        return real;
      }
      case TAGS.text:
        return this.text();
      case TAGS.blob:
        return this.bytes();
      case TAGS.brokenText:
        if (from === "answer") return this.bytes();
    }
    throw new RangeError(`no value has the tag ${tag}`);
  }

  values(count: number, from: "request" | "answer"): unknown[] {
    const values = [];
    for (let index = 0; index < count; index++) values.push(this.value(from));
    return values;
  }
}

/** The reading side of the host. */
export function readRequest(bytes: Uint8Array): BinaryRequest {
  const reader = new Reader(bytes);
  if (reader.u8() !== 1) throw new RangeError("not the binary form");
  const method = methodOf(reader.u8());
  const behavior = reader.u8();
  if (behavior >= (method === "begin" ? BEHAVIORS.length : 1)) throw new RangeError("a behavior");
  reader.zeros(1);
  const transaction = reader.u32();
  const cursor = reader.u32();
  const request: BinaryRequest = { method };
  if (behavior !== 0) request.behavior = BEHAVIORS[behavior]!;
  if (transaction !== 0) request.transaction = transaction;
  if (cursor !== 0) request.cursor = cursor;
  if (method === "batch") {
    request.steps = [];
    for (let count = reader.u32(); count > 0; count--) {
      const its = methodOf(reader.u8());
      if (!isStep(its)) throw new RangeError(`${its} in a batch`);
      reader.zeros(3);
      request.steps.push({
        method: its,
        sql: reader.text(),
        params: reader.values(reader.u32(), "request"),
      });
    }
    if (request.steps.length === 0) throw new RangeError("an empty batch");
  } else if (method === "push") {
    request.sql = reader.text();
  } else if (hasParams(method)) {
    request.sql = reader.text();
    request.params = reader.values(reader.u32(), "request");
  }
  reader.end();
  const takesCursor = method === "fetch" || method === "close";
  if (takesCursor !== (cursor !== 0)) throw new RangeError("a cursor");
  if (transaction === 0 && (method === "commit" || method === "rollback")) {
    throw new RangeError("no transaction");
  }
  if (transaction !== 0 && (takesCursor || method === "push"))
    throw new RangeError("a transaction");
  return request;
}

function methodOf(number: number): MethodName {
  const method = METHODS[number];
  if (method === undefined) throw new RangeError(`there is no method ${number}`);
  return method;
}

/** What `decodeAnswer` makes of the JSON form. `methods` is what was asked, one for each result. */
export function readAnswer(bytes: Uint8Array, methods: readonly string[]): unknown {
  const reader = new Reader(bytes);
  if (reader.u8() !== 1) throw new RangeError("not the binary form");
  const kind = reader.u8();
  if (reader.u16() !== 0) throw new RangeError("two bytes must be zero");
  const answer = readKind(reader, kind, methods);
  reader.end();
  return answer;
}

function readKind(reader: Reader, kind: number, methods: readonly string[]): unknown {
  switch (kind) {
    case ANSWERS.nothing:
      return {};
    case ANSWERS.transaction:
      return { transaction: reader.u32() };
    case ANSWERS.rows:
      return readResult(reader, methods[0]);
    case ANSWERS.batch: {
      const results = [];
      const count = reader.u32();
      for (let index = 0; index < count; index++) results.push(readResult(reader, methods[index]));
      return { results };
    }
  }
  throw new RangeError(`there is no answer ${kind}`);
}

function readResult(reader: Reader, method: string | undefined): unknown {
  const columns = reader.u32();
  const count = reader.u32();
  const cursor = reader.u32();
  const changes = reader.i64();
  const lastInsertRowid = reader.i64();
  const rows: unknown[][] = [];
  for (let row = 0; row < count; row++) rows.push(reader.values(columns, "answer"));
  if (method === "iterate" || method === "fetch") return cursor ? { rows, cursor } : { rows };
  return { rows: method === "get" ? rows[0] : rows, changes, lastInsertRowid };
}

/** Puts a message together from numbers, texts and values. */
class Writer {
  readonly #bytes: number[] = [];

  u8 = (...numbers: number[]) => void this.#bytes.push(...numbers);
  u32(number: number): void {
    this.#number(4, (view) => view.setUint32(0, number, true));
  }
  i64(integer: bigint): void {
    this.#number(8, (view) => view.setBigInt64(0, integer, true));
  }
  f64(real: number): void {
    this.#number(8, (view) => view.setFloat64(0, real, true));
  }
  bytes(bytes: Uint8Array): void {
    this.u32(bytes.length);
    for (const byte of bytes) this.#bytes.push(byte);
  }
  text = (text: string) => this.bytes(new TextEncoder().encode(text));
  result = () => Uint8Array.from(this.#bytes);

  #number(size: number, set: (view: DataView) => void): void {
    const bytes = new Uint8Array(size);
    set(new DataView(bytes.buffer));
    this.u8(...bytes);
  }

  value(value: unknown): void {
    if (value === null) return this.u8(TAGS.null);
    if (typeof value === "boolean")
      return this.#tagged(TAGS.integer, () => this.i64(BigInt(value)));
    if (typeof value === "bigint") return this.#tagged(TAGS.integer, () => this.i64(value));
    if (typeof value === "string") return this.#tagged(TAGS.text, () => this.text(value));
    if (value instanceof Uint8Array) return this.#tagged(TAGS.blob, () => this.bytes(value));
    if (typeof value !== "number" || Number.isNaN(value))
      throw new RangeError("no value of SQLite's");
    if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
      return this.#tagged(TAGS.integer, () => this.i64(BigInt(value)));
    }
    this.#tagged(TAGS.real, () => this.f64(value));
  }

  #tagged(tag: number, payload: () => void): void {
    this.u8(tag);
    payload();
  }

  statement(sql: string, params: readonly unknown[]): void {
    this.text(sql);
    this.u32(params.length);
    for (const param of params) this.value(param);
  }
}

/** The writing side of the guest. */
export function writeRequest(request: BinaryRequest): Uint8Array {
  const { method, sql = "", params = [], steps = [], behavior = "immediate" } = request;
  const writer = new Writer();
  writer.u8(1, METHODS.indexOf(method), (BEHAVIORS as readonly string[]).indexOf(behavior), 0);
  writer.u32(request.transaction ?? 0);
  writer.u32(request.cursor ?? 0);
  if (method === "batch") {
    writer.u32(steps.length);
    for (const step of steps) {
      writer.u8(METHODS.indexOf(step.method), 0, 0, 0);
      writer.statement(step.sql, step.params);
    }
  } else if (method === "push") {
    writer.text(sql);
  } else if (hasParams(method)) {
    writer.statement(sql, params);
  }
  return writer.result();
}
