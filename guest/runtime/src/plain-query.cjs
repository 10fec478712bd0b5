// A short cut for whatwg-url's own parser of `a=1&b=two+words`, which works on bytes, one by one: 20 us
// for a short text. Most are printable ASCII without escapes, where splitting the text is all there is to
// do.
"use strict";

const PLAIN = /^[ -$&-~]*$/; // Printable ASCII but %.

const unescaped = (text) => (text.includes("+") ? text.replaceAll("+", " ") : text);

/** The pairs, or undefined where that is not enough. https://url.spec.whatwg.org/#concept-urlencoded-parser */
exports.tryParse = (input) => {
  if (!PLAIN.test(input)) return undefined;
  const pairs = [];
  for (const part of input.split("&")) {
    if (part === "") continue;
    const equals = part.indexOf("=");
    pairs.push(
      equals < 0
        ? [unescaped(part), ""]
        : [unescaped(part.slice(0, equals)), unescaped(part.slice(equals + 1))],
    );
  }
  return pairs;
};
