// Stands in for whatwg-url's own URL-impl.js (build.mjs puts it there). The library parses a URL in
// 100 us. Those that a server passes on are normal already: parsing would not change them, and what most
// programs ask of them are parts of the text. They are parsed when somebody changes one of them.
"use strict";

const { implementation: URLImpl } = require("whatwg-url/lib/URL-impl.js");
const usm = require("whatwg-url/lib/url-state-machine.js");
const URLSearchParams = require("whatwg-url/lib/URLSearchParams.js");
const { native } = require("./native.js"); // Evaluated before.

// Where the parts of a normal URL begin: it has neither user nor fragment.
function partsOf(href) {
  const host = href.indexOf("//") + 2;
  const path = href.indexOf("/", host);
  const question = href.indexOf("?", path);
  const colon = href.indexOf(":", host);
  return {
    scheme: href.slice(0, host - 2),
    host: href.slice(host, path),
    hostname: href.slice(host, colon >= 0 && colon < path ? colon : path),
    port: colon >= 0 && colon < path ? href.slice(colon + 1, path) : "",
    pathname: question < 0 ? href.slice(path) : href.slice(path, question),
    query: question < 0 ? "" : href.slice(question + 1),
  };
}

function LazyURLImpl(globalObject, [url, base]) {
  if (base !== undefined || !native.isNormalUrl?.(url)) {
    return Reflect.construct(URLImpl, [globalObject, [url, base]], LazyURLImpl);
  }
  this._globalObject = globalObject;
  this._normal = url; // Undefined once it is parsed.
  this._partsOfNormal = undefined;
}

LazyURLImpl.parse = (globalObject, url, base) => {
  try {
    return new LazyURLImpl(globalObject, [url, base]);
  } catch {
    return null;
  }
};
LazyURLImpl.canParse = (url, base) => URLImpl.canParse(url, base);

const own = (object, name, value) => {
  Object.defineProperty(object, name, {
    value,
    writable: true,
    enumerable: true,
    configurable: true,
  });
  return value;
};

const fromParts = (name, find) => ({
  get() {
    if (this._normal === undefined) return Reflect.get(URLImpl.prototype, name, this);
    this._partsOfNormal ??= partsOf(this._normal);
    return find(this._partsOfNormal, this._normal);
  },
  set(value) {
    Reflect.set(URLImpl.prototype, name, value, this);
  },
  configurable: true,
});

LazyURLImpl.prototype = Object.create(URLImpl.prototype, {
  // What the library keeps in a URL: made when it is asked for.
  _url: {
    get() {
      const normal = this._normal;
      this._normal = undefined;
      return own(this, "_url", usm.basicURLParse(normal));
    },
    set(value) {
      this._normal = undefined;
      own(this, "_url", value);
    },
    configurable: true,
  },
  _query: {
    get() {
      const href = this._normal ?? "";
      const query = href === "" ? (this._url.query ?? "") : partsOf(href).query;
      const params = URLSearchParams.createImpl(this._globalObject, [query], {
        doNotStripQMark: true,
      });
      params._url = this;
      return own(this, "_query", params);
    },
    set(value) {
      own(this, "_query", value);
    },
    configurable: true,
  },
  href: fromParts("href", (_, normal) => normal),
  origin: fromParts("origin", ({ scheme, host }) => `${scheme}//${host}`),
  protocol: fromParts("protocol", ({ scheme }) => scheme),
  username: fromParts("username", () => ""),
  password: fromParts("password", () => ""),
  host: fromParts("host", ({ host }) => host),
  hostname: fromParts("hostname", ({ hostname }) => hostname),
  port: fromParts("port", ({ port }) => port),
  pathname: fromParts("pathname", ({ pathname }) => pathname),
  search: fromParts("search", ({ query }) => (query === "" ? "" : `?${query}`)),
  hash: fromParts("hash", () => ""),
});

exports.implementation = LazyURLImpl;
