// Stands in for whatwg-url's own URL-impl.js (build.mjs puts it there). The library parses a URL in
// 100 us. Those that a server passes on are normal already: parsing would not change them, and what most
// programs ask of them are parts of the text. They are parsed when somebody changes one of them.
"use strict";

const { implementation: URLImpl } = require("whatwg-url/lib/URL-impl.js");
const usm = require("whatwg-url/lib/url-state-machine.js");
const URLSearchParams = require("whatwg-url/lib/URLSearchParams.js");
const { native } = require("./native.js"); // Evaluated before.

// Where the parts of a normal URL begin: it has neither user nor fragment.
const hostAt = (href) => href.indexOf("//") + 2;
const pathAt = (href) => href.indexOf("/", hostAt(href));

const hostOf = (href) => href.slice(hostAt(href), pathAt(href));
const schemeOf = (href) => href.slice(0, hostAt(href) - 2);

function portOf(href) {
  const host = hostOf(href);
  const colon = host.indexOf(":");
  return colon < 0 ? "" : host.slice(colon + 1);
}

function hostnameOf(href) {
  const host = hostOf(href);
  const colon = host.indexOf(":");
  return colon < 0 ? host : host.slice(0, colon);
}

function pathnameOf(href) {
  const path = pathAt(href);
  const question = href.indexOf("?", path);
  return question < 0 ? href.slice(path) : href.slice(path, question);
}

function queryOf(href) {
  const question = href.indexOf("?");
  return question < 0 ? "" : href.slice(question + 1);
}

function searchOf(href) {
  const query = queryOf(href);
  return query === "" ? "" : `?${query}`;
}

function LazyURLImpl(globalObject, [url, base]) {
  if (base !== undefined || !native.isNormalUrl?.(url)) {
    return Reflect.construct(URLImpl, [globalObject, [url, base]], LazyURLImpl);
  }
  this._globalObject = globalObject;
  this._normal = url; // Undefined once it is parsed.
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
    return find(this._normal);
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
      const query = href === "" ? (this._url.query ?? "") : queryOf(href);
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
  href: fromParts("href", (href) => href),
  origin: fromParts("origin", (href) => href.slice(0, pathAt(href))),
  protocol: fromParts("protocol", schemeOf),
  username: fromParts("username", () => ""),
  password: fromParts("password", () => ""),
  host: fromParts("host", hostOf),
  hostname: fromParts("hostname", hostnameOf),
  port: fromParts("port", portOf),
  pathname: fromParts("pathname", pathnameOf),
  search: fromParts("search", searchOf),
  hash: fromParts("hash", () => ""),
});

exports.implementation = LazyURLImpl;
