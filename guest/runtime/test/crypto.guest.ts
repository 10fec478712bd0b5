// crypto.subtle: digests and HMAC. What is random is never printed.
import { attemptAsync, equal, show, test, text, throws } from "./harness.js";

const DIGESTS = ["SHA-1", "SHA-256", "SHA-384", "SHA-512"];
// Around the ends of blocks of 64 and 128 bytes, with their 9 or 17 bytes of padding.
const LENGTHS = [
  0, 1, 3, 54, 55, 56, 57, 63, 64, 65, 110, 111, 112, 113, 119, 120, 127, 128, 129, 255, 256, 1000,
];

const hex = (buffer: ArrayBuffer) =>
  Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");
const encode = (words: string) => new TextEncoder().encode(words);

/** Bytes that are the same everywhere, of all values. */
function sample(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  let state = seed;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return state >>> 24;
  });
}

test("the digests are those that FIPS 180-4 has as examples", async () => {
  const digest = async (name: string) => hex(await crypto.subtle.digest(name, encode("abc")));
  equal(await digest("SHA-1"), "a9993e364706816aba3e25717850c26c9cd0d89d");
  equal(
    await digest("SHA-256"),
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  );
  equal(
    await digest("SHA-384"),
    "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
  );
  equal(
    await digest("SHA-512"),
    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a" +
      "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
  );
});

test("digests of all lengths are those of Node", async () => {
  for (const name of DIGESTS) {
    for (const length of LENGTHS) {
      show(`${name} of ${length}`, hex(await crypto.subtle.digest(name, sample(length))));
      show(
        `${name} of ${length} ones`,
        hex(await crypto.subtle.digest({ name }, new Uint8Array(length).fill(255))),
      );
    }
    show(`${name} of much`, hex(await crypto.subtle.digest(name, sample(30_001, 7))));
  }
});

test("a digest reads what a view shows, as it is when it is called", async () => {
  const bytes = sample(100);
  const part = new DataView(bytes.buffer, 10, 20);
  const expected = hex(await crypto.subtle.digest("sha-256", bytes.slice(10, 30)));
  const promise = crypto.subtle.digest("SHA-256", part);
  bytes.fill(0);
  equal(hex(await promise), expected);
  equal(
    hex(await crypto.subtle.digest("Sha-1", sample(9).buffer)),
    hex(await crypto.subtle.digest("SHA-1", sample(9))),
  );
});

test("HMAC signs as in Node, with keys shorter and longer than a block", async () => {
  for (const hash of DIGESTS) {
    for (const length of [1, 20, 63, 64, 65, 127, 128, 129, 200]) {
      const key = await crypto.subtle.importKey(
        "raw",
        sample(length, 3),
        { name: "HMAC", hash },
        false,
        ["sign", "verify"],
      );
      const signature = await crypto.subtle.sign("HMAC", key, sample(77));
      show(`${hash} ${length}`, hex(signature));
      equal(await crypto.subtle.verify("HMAC", key, signature, sample(77)), true);
      equal(await crypto.subtle.verify("HMAC", key, signature, sample(78)), false);
      equal(await crypto.subtle.verify("HMAC", key, signature.slice(1), sample(77)), false);
      const wrong = new Uint8Array(signature.slice(0));
      wrong[wrong.length - 1]! ^= 1;
      equal(await crypto.subtle.verify("HMAC", key, wrong, sample(77)), false);
    }
  }
});

test("RFC 4231, test case 2", async () => {
  const key = await crypto.subtle.importKey(
    "raw",
    encode("Jefe"),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign"],
  );
  equal(
    hex(await crypto.subtle.sign("HMAC", key, encode("what do ya want for nothing?"))),
    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
  );
});

test("a key tells what it is", async () => {
  const key = await crypto.subtle.importKey(
    "raw",
    sample(32),
    { name: "hmac", hash: { name: "sha-384" } },
    true,
    ["sign", "verify"],
  );
  show("key", [key.type, key.extractable, key.usages, key.algorithm.name]);
  const { name, length, hash } = key.algorithm as HmacKeyAlgorithm;
  show("algorithm", [name, length, hash.name]);
  equal(Object.prototype.toString.call(key), "[object CryptoKey]");
  equal(Object.prototype.toString.call(crypto.subtle), "[object SubtleCrypto]");
  equal(
    text(new Uint8Array((await crypto.subtle.exportKey("raw", key)) as ArrayBuffer)),
    text(sample(32)),
  );
  const { kty, k, alg, ext, key_ops } = (await crypto.subtle.exportKey("jwk", key)) as JsonWebKey;
  show("jwk", [kty, k, alg, ext, key_ops]);
});

test("a JSON Web Key is the key that it was made of", async () => {
  const algorithm = { name: "HMAC", hash: "SHA-512" };
  const generate = (usages: KeyUsage[]) =>
    crypto.subtle.generateKey(algorithm, true, usages) as Promise<CryptoKey>;
  const key = await generate(["sign", "verify"]);
  equal((key.algorithm as HmacKeyAlgorithm).length, 1024);
  const jwk = (await crypto.subtle.exportKey("jwk", key)) as JsonWebKey;
  const same = await crypto.subtle.importKey("jwk", jwk, algorithm, false, ["verify"]);
  const signature = await crypto.subtle.sign("HMAC", key, sample(5));
  equal(await crypto.subtle.verify("HMAC", same, signature, sample(5)), true);
  equal(same.extractable, false);
  const other = await generate(["verify"]);
  equal(await crypto.subtle.verify("HMAC", other, signature, sample(5)), false);
});

test("what cannot be is refused as in Node", async () => {
  const { subtle } = crypto;
  const hmac = { name: "HMAC", hash: "SHA-256" };
  const key = await subtle.importKey("raw", sample(8), hmac, false, ["sign"]);
  const raw = (algorithm: unknown, usages: unknown, bytes = sample(8)) =>
    subtle.importKey("raw", bytes, algorithm as HmacImportParams, true, usages as KeyUsage[]);
  const jwk = (change: object, usages: KeyUsage[] = ["sign"]) =>
    subtle.importKey("jwk", { kty: "oct", k: "AAAA", ...change }, hmac, true, usages);
  const refusals: Record<string, () => Promise<unknown>> = {
    "unknown digest": () => subtle.digest("SHA-999", sample(1)),
    "no name": () => subtle.digest({} as Algorithm, sample(1)),
    "no bytes": () => subtle.digest("SHA-256", "text" as never),
    "no hash": () => raw({ name: "HMAC" }, ["sign"]),
    "unknown hash": () => raw({ name: "HMAC", hash: "MD5" }, ["sign"]),
    "no use": () => raw(hmac, []),
    "unknown use": () => raw(hmac, ["signs"]),
    "another's use": () => raw(hmac, ["encrypt"]),
    "empty key": () => raw(hmac, ["sign"], new Uint8Array(0)),
    "too long": () => raw({ ...hmac, length: 72 }, ["sign"]),
    "too short": () => raw({ ...hmac, length: 56 }, ["sign"]),
    // Node calls the error by a name that the standard does not have.
    "not extractable": () => subtle.exportKey("raw", key).catch(() => Promise.reject(new Error())),
    "not for verify": () => subtle.verify("HMAC", key, sample(32), sample(1)),
    "not a key": () => subtle.sign("HMAC", {} as CryptoKey, sample(1)),
    "other kty": () => jwk({ kty: "RSA" }),
    "other alg": () => jwk({ alg: "HS512" }),
    "other use of jwk": () => jwk({ use: "enc" }),
    "other key_ops": () => jwk({ key_ops: ["verify"] }),
    "not to be extracted": () => jwk({ ext: false }),
    "right jwk": async () =>
      (await jwk({ alg: "HS256", use: "sig", key_ops: ["sign"], ext: true })).usages,
  };
  for (const [label, refusal] of Object.entries(refusals)) await attemptAsync(label, refusal);
  throws(() => new (CryptoKey as unknown as new () => object)(), "TypeError");
  throws(() => new (SubtleCrypto as unknown as new () => object)(), "TypeError");
});
