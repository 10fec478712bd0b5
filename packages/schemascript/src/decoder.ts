// What a stored value becomes: the few conversions that the host's side of the driver knows by
// itself, so that nothing of JavaScript runs for them. The numbers are part of the boundary
// (docs/protocol.md). A bottom layer: it imports nothing.
//
// A kind knows the expected case only. NULL is null; whatever else a kind does not expect is given
// to the decoder as it is stored, so what is odd and what is refused is the decoder's to say.

/** Each says which stored value it expects, and what that becomes. */
export const Kind = {
  /** Any: an integer within 2^53 - 1 and a real are numbers, any other integer is a bigint. */
  asIs: 0,
  /** An integer within 2^53 - 1, or a real: a number. */
  number: 1,
  /** An integer: a bigint. */
  bigint: 2,
  /** The integers 1 and 0: true and false. */
  boolean: 3,
  /** An integer within 2^53 - 1, or a real: a Date of so many milliseconds. */
  milliseconds: 4,
  /** The same of seconds. */
  seconds: 5,
  /** Text that is JSON: what it says. */
  json: 6,
  /** Text: a string. */
  text: 7,
  /** A blob: a Uint8Array. */
  blob: 8,
  /** An integer that is among `numbers`: the one of `names` in the same place. */
  named: 9,
  /** Nothing: the decoder is always called. */
  call: 10,
  /** Any integer, or a real: a number, which may be rounded. */
  rounded: 11,
} as const;

export type DecoderKind = (typeof Kind)[keyof typeof Kind];

/** What decodes by Drizzle's rules: a column, or what `mapWith` was given. */
export interface Decoder {
  mapFromDriverValue(stored: unknown): unknown;
}

/** A kind, with what it needs to know. */
export interface KindOfDecoder {
  readonly kind: DecoderKind;
  /** Of `named`; the first of several that are equal counts. */
  readonly numbers?: readonly number[];
  readonly names?: readonly string[];
}

type Decode = Decoder["mapFromDriverValue"];

// By the function itself: whoever puts another one in its place is called.
const kinds = new WeakMap<Decode, KindOfDecoder>();

/** From now on `decode` is known to do what the kind does, and more. */
export function declareKind(decode: Decode, kind: KindOfDecoder): void {
  kinds.set(decode, kind);
}

export function tryFindKind(decode: Decode): KindOfDecoder | undefined {
  return kinds.get(decode);
}
