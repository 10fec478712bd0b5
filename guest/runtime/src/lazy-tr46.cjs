// Stands between whatwg-url and tr46 (build.mjs puts it there). Nearly every host name is plain
// ASCII, for which the URL standard asks for no more than lower case; the tables, some 11,000
// objects, are only made when a name needs them.
"use strict";

const PLAIN = /^[\x00-\x7f]*$/;
const PUNYCODE = /(?:^|\.)xn--/i;

exports.toASCII = (domain, options) => {
  if (!options.useSTD3ASCIIRules && PLAIN.test(domain) && !PUNYCODE.test(domain)) {
    return domain.toLowerCase();
  }
  return require("tr46").toASCII(domain, options);
};
exports.toUnicode = (domain, options) => require("tr46").toUnicode(domain, options);
