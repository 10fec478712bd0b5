// crypto.subtle after https://w3c.github.io/webcrypto: digests and HMAC, which is what signed cookies, tokens and ETags need.
// There are no ciphers, no pairs of keys and no derivation; the methods for them are left out.
import { finishInterface, install, showFields } from "./install.js";
import { native } from "./native.js";
import { HASHES, hmac, type Hash } from "./sha.js";

const INTERNAL = Symbol("internal");
const USAGES = [
  ...["encrypt", "decrypt", "sign", "verify"],
  ...["deriveKey", "deriveBits", "wrapKey", "unwrapKey"],
];
const HMAC_USAGES = ["sign", "verify"];

interface HmacAlgorithm {
  readonly name: "HMAC";
  readonly hash: { readonly name: string };
  readonly length: number; // In bits.
}

// --- What arguments mean ---

const refusal = (name: string, message: string) => new DOMException(message, name);

function bytesOf(data: unknown): Uint8Array<ArrayBuffer> {
  if (data instanceof ArrayBuffer) return new Uint8Array(data).slice();
  if (!ArrayBuffer.isView(data))
    throw new TypeError("crypto.subtle: the data must be an ArrayBuffer or a view of one");
  return new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength).slice();
}

function nameOf(algorithm: unknown): string {
  if (typeof algorithm !== "object" || algorithm === null) return `${algorithm as string}`;
  const { name } = algorithm as { name?: unknown };
  if (name === undefined) throw new TypeError("crypto.subtle: an algorithm has a name");
  return `${name as string}`;
}

function hashOf(algorithm: unknown): Hash {
  const name = nameOf(algorithm);
  const hash = HASHES.find((known) => known.name === name.toUpperCase());
  if (!hash) throw refusal("NotSupportedError", `crypto.subtle: there is no digest '${name}'`);
  return hash;
}

function expectHmac(algorithm: unknown): void {
  const name = nameOf(algorithm);
  if (name.toUpperCase() === "HMAC") return;
  throw refusal("NotSupportedError", `crypto.subtle: there is no '${name}' for this, only HMAC`);
}

function hmacHash(algorithm: unknown): Hash {
  expectHmac(algorithm);
  const { hash } = algorithm as { hash?: unknown };
  if (hash === undefined) throw new TypeError("crypto.subtle: HMAC needs a hash");
  return hashOf(hash);
}

function usagesOf(usages: unknown): string[] {
  const given = Array.from(usages as Iterable<unknown>, (usage) => `${usage as string}`);
  const unknown = given.find((usage) => !USAGES.includes(usage));
  if (unknown !== undefined) throw new TypeError(`crypto.subtle: there is no usage '${unknown}'`);
  if (given.some((usage) => !HMAC_USAGES.includes(usage))) {
    throw refusal("SyntaxError", "crypto.subtle: a key of HMAC is for sign and verify");
  }
  return HMAC_USAGES.filter((usage) => given.includes(usage));
}

function expectSome(usages: readonly string[]): void {
  if (usages.length === 0) throw refusal("SyntaxError", "crypto.subtle: the key is for no use");
}

// --- Keys ---

let secretOf: (key: CryptoKey) => Uint8Array<ArrayBuffer>;

class CryptoKey {
  readonly #secret: Uint8Array<ArrayBuffer>;
  readonly #algorithm: HmacAlgorithm;
  readonly #extractable: boolean;
  readonly #usages: readonly string[];

  constructor(
    internal: unknown,
    secret: Uint8Array<ArrayBuffer>,
    algorithm: HmacAlgorithm,
    extractable: boolean,
    usages: readonly string[],
  ) {
    if (internal !== INTERNAL) throw new TypeError("Illegal constructor");
    this.#secret = secret;
    this.#algorithm = algorithm;
    this.#extractable = extractable;
    this.#usages = usages;
  }

  get type(): string {
    return "secret";
  }
  get extractable(): boolean {
    return this.#extractable;
  }
  get algorithm(): HmacAlgorithm {
    return this.#algorithm;
  }
  get usages(): readonly string[] {
    return this.#usages;
  }

  static {
    secretOf = (key) => {
      if (typeof key === "object" && key !== null && #secret in key) return key.#secret;
      throw new TypeError("crypto.subtle: the key must be a CryptoKey");
    };
  }
}

function makeKey(
  secret: Uint8Array<ArrayBuffer>,
  hash: Hash,
  extractable: unknown,
  usages: readonly string[],
  length = 8 * secret.length,
): CryptoKey {
  const algorithm: HmacAlgorithm = { name: "HMAC", hash: { name: hash.name }, length };
  return new CryptoKey(INTERNAL, secret, algorithm, Boolean(extractable), usages);
}

function expectUsage(key: CryptoKey, usage: string): Hash {
  if (!key.usages.includes(usage)) {
    throw refusal("InvalidAccessError", `crypto.subtle: the key is not for ${usage}`);
  }
  return hashOf(key.algorithm.hash);
}

const base64Url = (bytes: Uint8Array) =>
  btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");

const jwkName = (hash: Hash) => `HS${hash.name.slice("SHA-".length)}`;

/** The secret in a JSON Web Key (RFC 7518, section 6.4). */
function fromJwk(
  jwk: unknown,
  hash: Hash,
  extractable: unknown,
  usages: readonly string[],
): Uint8Array<ArrayBuffer> {
  if (typeof jwk !== "object" || jwk === null)
    throw new TypeError("crypto.subtle: a JWK is an object");
  const { kty, k, alg, use, key_ops: uses, ext } = jwk as JsonWebKey;
  const isWrong =
    kty !== "oct" ||
    typeof k !== "string" ||
    !/^[\w-]*$/.test(k) ||
    (alg !== undefined && alg !== jwkName(hash)) ||
    (use !== undefined && use !== "sig" && usages.length > 0) ||
    (uses !== undefined && !usages.every((usage) => uses.includes(usage))) ||
    (ext === false && Boolean(extractable));
  if (isWrong)
    throw refusal(
      "DataError",
      "crypto.subtle: the JWK is not one of this algorithm, or not for this use",
    );
  let text: string;
  try {
    text = atob(k.replaceAll("-", "+").replaceAll("_", "/"));
  } catch {
    throw refusal("DataError", "crypto.subtle: the JWK's k is not base64url");
  }
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

// --- Operations ---

/** Takes as long for a wrong signature as for the right one. */
function isSame(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false;
  let difference = 0;
  for (let at = 0; at < one.length; ++at) difference |= (one[at] as number) ^ (other[at] as number);
  return difference === 0;
}

class SubtleCrypto {
  constructor(internal: unknown) {
    if (internal !== INTERNAL) throw new TypeError("Illegal constructor");
  }

  async digest(algorithm: unknown, data: unknown): Promise<ArrayBuffer> {
    const bytes = bytesOf(data);
    return hashOf(algorithm).compute(bytes).buffer;
  }

  async importKey(
    format: unknown,
    keyData: unknown,
    algorithm: unknown,
    extractable: unknown,
    keyUsages: unknown,
  ): Promise<CryptoKey> {
    const hash = hmacHash(algorithm);
    const usages = usagesOf(keyUsages);
    let secret: Uint8Array<ArrayBuffer>;
    if (format === "raw") secret = bytesOf(keyData);
    else if (format === "jwk") secret = fromJwk(keyData, hash, extractable, usages);
    else
      throw refusal(
        "NotSupportedError",
        `crypto.subtle: a key of HMAC is raw or jwk, not '${format as string}'`,
      );
    const bits = 8 * secret.length;
    const { length = bits } = algorithm as { length?: number };
    if (bits === 0 || length > bits || length <= bits - 8) {
      throw refusal("DataError", `crypto.subtle: a key of ${bits} bits cannot be one of ${length}`);
    }
    expectSome(usages);
    return makeKey(secret, hash, extractable, usages, length);
  }

  async generateKey(
    algorithm: unknown,
    extractable: unknown,
    keyUsages: unknown,
  ): Promise<CryptoKey> {
    const hash = hmacHash(algorithm);
    const usages = usagesOf(keyUsages);
    const { length = 8 * hash.blockBytes } = algorithm as { length?: number };
    if (length === 0) throw refusal("OperationError", "crypto.subtle: a key has at least one bit");
    expectSome(usages);
    const secret = new Uint8Array(Math.ceil(length / 8));
    native.randomFill(secret);
    return makeKey(secret, hash, extractable, usages, length);
  }

  async exportKey(format: unknown, key: CryptoKey): Promise<ArrayBuffer | JsonWebKey> {
    const secret = secretOf(key);
    if (!key.extractable)
      throw refusal("InvalidAccessError", "crypto.subtle: the key is not extractable");
    if (format === "raw") return secret.slice().buffer;
    if (format !== "jwk") {
      throw refusal(
        "NotSupportedError",
        `crypto.subtle: a key of HMAC is raw or jwk, not '${format as string}'`,
      );
    }
    const alg = jwkName(hashOf(key.algorithm.hash));
    return { key_ops: [...key.usages], ext: true, kty: "oct", k: base64Url(secret), alg };
  }

  async sign(algorithm: unknown, key: CryptoKey, data: unknown): Promise<ArrayBuffer> {
    const bytes = bytesOf(data);
    expectHmac(algorithm);
    const secret = secretOf(key);
    return hmac(expectUsage(key, "sign"), secret, bytes).buffer;
  }

  async verify(
    algorithm: unknown,
    key: CryptoKey,
    signature: unknown,
    data: unknown,
  ): Promise<boolean> {
    const given = bytesOf(signature);
    const bytes = bytesOf(data);
    expectHmac(algorithm);
    const secret = secretOf(key);
    return isSame(given, hmac(expectUsage(key, "verify"), secret, bytes));
  }
}

finishInterface(CryptoKey, "CryptoKey");
finishInterface(SubtleCrypto, "SubtleCrypto");
showFields(CryptoKey, ({ type, extractable, algorithm, usages }) => ({
  ...{ type, extractable, algorithm, usages },
}));
install({ CryptoKey, SubtleCrypto });

export const subtle = new SubtleCrypto(INTERNAL);
