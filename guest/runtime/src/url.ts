// URL and URLSearchParams: whatwg-url, the standard's reference implementation.
import "./encoding.js"; // whatwg-url makes its encoder when it is loaded.
import { URL, URLSearchParams } from "whatwg-url";
import { install, showFields } from "./install.js";

showFields(URL, (url) => {
  const {
    href,
    origin,
    protocol,
    username,
    password,
    host,
    hostname,
    port,
    pathname,
    search,
    searchParams,
    hash,
  } = url;
  return {
    href,
    origin,
    protocol,
    username,
    password,
    host,
    hostname,
    port,
    pathname,
    search,
    searchParams,
    hash,
  };
});
Object.defineProperty(URLSearchParams.prototype, Symbol.for("nodejs.util.inspect.custom"), {
  configurable: true,
  writable: true,
  value: function (
    this: URLSearchParams,
    depth: number,
    options: object,
    inspect: (value: unknown, options: object) => string,
  ) {
    if (depth < 0) return "[Object]";
    const pairs = [...this].map(
      ([name, value]) => `${inspect(name, options)} => ${inspect(value, options)}`,
    );
    return pairs.length === 0 ? "URLSearchParams {}" : `URLSearchParams { ${pairs.join(", ")} }`;
  },
});
install({ URL, URLSearchParams });
