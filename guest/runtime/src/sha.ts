// SHA-1, SHA-256, SHA-384 and SHA-512 after FIPS 180-4 (https://doi.org/10.6028/NIST.FIPS.180-4), and HMAC after RFC 2104. Meant for
// cookies, tokens and ETags of small answers: in the sandbox a second is enough for some 700 KB of SHA-256 and 200 KB of SHA-512.

export interface Hash {
  readonly name: string;
  readonly blockBytes: number;
  readonly bytes: number;
  readonly compute: (input: Uint8Array) => Uint8Array<ArrayBuffer>;
}

// --- Constants: the first 64 bits of the fractional parts of roots of primes ---

function firstPrimes(count: number): bigint[] {
  const primes: bigint[] = [];
  for (let candidate = 2n; primes.length < count; ++candidate) {
    if (primes.every((prime) => candidate % prime !== 0n)) primes.push(candidate);
  }
  return primes;
}

/** The greatest integer whose power is at most `value`, by Newton's method from above. */
function integerRoot(value: bigint, power: bigint): bigint {
  let root = 1n << BigInt(Math.ceil(value.toString(2).length / Number(power)));
  for (;;) {
    const next = ((power - 1n) * root + value / root ** (power - 1n)) / power;
    if (next >= root) return root;
    root = next;
  }
}

const fractionOfRoot = (prime: bigint, power: bigint) =>
  BigInt.asUintN(64, integerRoot(prime << (64n * power), power));

/** High and low halves by turns. */
const halves = (numbers: readonly bigint[]) =>
  Int32Array.from(
    numbers.flatMap((number) => [Number(number >> 32n) | 0, Number(number & 0xffffffffn) | 0]),
  );

const PRIMES = firstPrimes(80);
const CUBE_ROOTS = halves(PRIMES.map((prime) => fractionOfRoot(prime, 3n)));
const SQUARE_ROOTS = halves(PRIMES.slice(0, 16).map((prime) => fractionOfRoot(prime, 2n)));

const everySecond = (numbers: Int32Array) => numbers.filter((_, index) => index % 2 === 0);
const K256 = everySecond(CUBE_ROOTS).slice(0, 64);
const START_1 = Int32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0);
const START_256 = everySecond(SQUARE_ROOTS).slice(0, 8);
const START_384 = SQUARE_ROOTS.slice(16);
const START_512 = SQUARE_ROOTS.slice(0, 16);

// --- What all have in common: whole blocks of the input, then its end with a one, zeros and the length in bits ---

type Compress = (state: Int32Array, view: DataView, offset: number) => void;

function hashWith(
  start: Int32Array,
  blockBytes: number,
  bytes: number,
  compress: Compress,
): (input: Uint8Array) => Uint8Array<ArrayBuffer> {
  return (input) => {
    const state = start.slice();
    const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
    const whole = input.length - (input.length % blockBytes);
    for (let offset = 0; offset < whole; offset += blockBytes) compress(state, view, offset);

    const rest = input.subarray(whole);
    const lengthBytes = blockBytes / 8;
    const tail = new Uint8Array(
      rest.length + 1 + lengthBytes > blockBytes ? 2 * blockBytes : blockBytes,
    );
    tail.set(rest);
    tail[rest.length] = 0x80;
    const tailView = new DataView(tail.buffer);
    tailView.setUint32(tail.length - 8, Math.floor(input.length / 2 ** 29));
    tailView.setUint32(tail.length - 4, input.length << 3);
    for (let offset = 0; offset < tail.length; offset += blockBytes)
      compress(state, tailView, offset);

    const digest = new Uint8Array(bytes);
    const digestView = new DataView(digest.buffer);
    for (let at = 0; at < bytes; at += 4) digestView.setInt32(at, state[at >> 2] as number);
    return digest;
  };
}

const W = new Int32Array(160);

const compress1: Compress = (state, view, offset) => {
  for (let t = 0; t < 16; ++t) W[t] = view.getInt32(offset + 4 * t);
  for (let t = 16; t < 80; ++t) {
    const x = W[t - 3]! ^ W[t - 8]! ^ W[t - 14]! ^ W[t - 16]!;
    W[t] = (x << 1) | (x >>> 31);
  }
  let [a, b, c, d, e] = state as unknown as [number, number, number, number, number];
  for (let t = 0; t < 80; ++t) {
    const f =
      t < 20 ? (b & c) | (~b & d) : t < 40 || t >= 60 ? b ^ c ^ d : (b & c) | (b & d) | (c & d);
    const k = t < 20 ? 0x5a827999 : t < 40 ? 0x6ed9eba1 : t < 60 ? 0x8f1bbcdc : 0xca62c1d6;
    const next = (((a << 5) | (a >>> 27)) + f + e + k + W[t]!) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  state[0]! += a;
  state[1]! += b;
  state[2]! += c;
  state[3]! += d;
  state[4]! += e;
};

const compress256: Compress = (state, view, offset) => {
  for (let t = 0; t < 16; ++t) W[t] = view.getInt32(offset + 4 * t);
  for (let t = 16; t < 64; ++t) {
    const x = W[t - 15]!;
    const y = W[t - 2]!;
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    W[t] = W[t - 16]! + s0 + W[t - 7]! + s1;
  }
  let [a, b, c, d, e, f, g, h] = state as unknown as [
    ...[number, number, number, number],
    ...[number, number, number, number],
  ];
  for (let t = 0; t < 64; ++t) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K256[t]! + W[t]!) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  state[0]! += a;
  state[1]! += b;
  state[2]! += c;
  state[3]! += d;
  state[4]! += e;
  state[5]! += f;
  state[6]! += g;
  state[7]! += h;
};

/** The high half of a sum, of the high halves' sum and of the low halves' sum before it was cut. */
const carried = (high: number, low: number) => (high + Math.floor(low / 2 ** 32)) | 0;

// Numbers of 64 bits are two of 32: the high half at an even place, the low one behind it.
const compress512: Compress = (state, view, offset) => {
  for (let t = 0; t < 32; ++t) W[t] = view.getInt32(offset + 4 * t);
  for (let t = 32; t < 160; t += 2) {
    const xh = W[t - 30]!;
    const xl = W[t - 29]!;
    const yh = W[t - 4]!;
    const yl = W[t - 3]!;
    const s0h = ((xh >>> 1) | (xl << 31)) ^ ((xh >>> 8) | (xl << 24)) ^ (xh >>> 7);
    const s0l = ((xl >>> 1) | (xh << 31)) ^ ((xl >>> 8) | (xh << 24)) ^ ((xl >>> 7) | (xh << 25));
    const s1h = ((yh >>> 19) | (yl << 13)) ^ ((yl >>> 29) | (yh << 3)) ^ (yh >>> 6);
    const s1l = ((yl >>> 19) | (yh << 13)) ^ ((yh >>> 29) | (yl << 3)) ^ ((yl >>> 6) | (yh << 26));
    const low = (W[t - 31]! >>> 0) + (s0l >>> 0) + (W[t - 13]! >>> 0) + (s1l >>> 0);
    W[t] = carried(W[t - 32]! + s0h + W[t - 14]! + s1h, low);
    W[t + 1] = low;
  }
  const s = state.slice();
  for (let t = 0; t < 160; t += 2) {
    const eh = s[8]!;
    const el = s[9]!;
    const s1h = ((eh >>> 14) | (el << 18)) ^ ((eh >>> 18) | (el << 14)) ^ ((el >>> 9) | (eh << 23));
    const s1l = ((el >>> 14) | (eh << 18)) ^ ((el >>> 18) | (eh << 14)) ^ ((eh >>> 9) | (el << 23));
    const chooseH = (eh & s[10]!) ^ (~eh & s[12]!);
    const chooseL = (el & s[11]!) ^ (~el & s[13]!);
    const low1 =
      (s[15]! >>> 0) +
      (s1l >>> 0) +
      (chooseL >>> 0) +
      (CUBE_ROOTS[t + 1]! >>> 0) +
      (W[t + 1]! >>> 0);
    const t1h = carried(s[14]! + s1h + chooseH + CUBE_ROOTS[t]! + W[t]!, low1);
    const ah = s[0]!;
    const al = s[1]!;
    const s0h = ((ah >>> 28) | (al << 4)) ^ ((al >>> 2) | (ah << 30)) ^ ((al >>> 7) | (ah << 25));
    const s0l = ((al >>> 28) | (ah << 4)) ^ ((ah >>> 2) | (al << 30)) ^ ((ah >>> 7) | (al << 25));
    const majorityH = (ah & s[2]!) ^ (ah & s[4]!) ^ (s[2]! & s[4]!);
    const majorityL = (al & s[3]!) ^ (al & s[5]!) ^ (s[3]! & s[5]!);
    const t1l = low1 % 2 ** 32;
    const low2 = t1l + (s0l >>> 0) + (majorityL >>> 0);
    const lowE = (s[7]! >>> 0) + t1l;
    const nextEh = carried(s[6]! + t1h, lowE);
    const nextAh = carried(t1h + s0h + majorityH, low2);
    s.copyWithin(2, 0, 14);
    s[0] = nextAh;
    s[1] = low2;
    s[8] = nextEh;
    s[9] = lowE;
  }
  for (let at = 0; at < 16; at += 2) {
    const low = (state[at + 1]! >>> 0) + (s[at + 1]! >>> 0);
    state[at] = carried(state[at]! + s[at]!, low);
    state[at + 1] = low;
  }
};

export const HASHES: readonly Hash[] = [
  { name: "SHA-1", blockBytes: 64, bytes: 20, compute: hashWith(START_1, 64, 20, compress1) },
  { name: "SHA-256", blockBytes: 64, bytes: 32, compute: hashWith(START_256, 64, 32, compress256) },
  {
    name: "SHA-384",
    blockBytes: 128,
    bytes: 48,
    compute: hashWith(START_384, 128, 48, compress512),
  },
  {
    name: "SHA-512",
    blockBytes: 128,
    bytes: 64,
    compute: hashWith(START_512, 128, 64, compress512),
  },
];

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}

export function hmac(hash: Hash, key: Uint8Array, input: Uint8Array): Uint8Array<ArrayBuffer> {
  const short = key.length > hash.blockBytes ? hash.compute(key) : key;
  const padded = new Uint8Array(hash.blockBytes);
  padded.set(short);
  const inner = hash.compute(
    joined(
      padded.map((byte) => byte ^ 0x36),
      input,
    ),
  );
  return hash.compute(
    joined(
      padded.map((byte) => byte ^ 0x5c),
      inner,
    ),
  );
}
