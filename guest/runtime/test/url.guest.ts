// URL and URLSearchParams. Left out is "^" in a path, which the standard has escaped since Node 20.
import { attempt, equal, show, test, throws } from "./harness.js";

const FIELDS = [
  "href",
  "origin",
  "protocol",
  "username",
  "password",
  "host",
  "hostname",
  "port",
  "pathname",
  "search",
  "hash",
] as const;

const INPUTS: readonly (readonly [input: string, base?: string])[] = [
  ["https://example.com"],
  ["https://EXAMPLE.com:443/../a/./b/%2e%2E/c?x=1#y"],
  ["http://user:pa%20ss@host:8080/p?q#f"],
  ["http://localhost/"],
  ["http://localhost:8787/users/1?x=y&z=%20#"],
  ["https://a.b-c.example:8443/a//b;c=d/@~!$?q?r"],
  ["http://127.0.0.1:8080/x?"],
  ["https://a.example:80/x", "https://ignored.example/"],
  ["//other.example/x", "https://example.com/a/b"],
  ["../x?y", "https://example.com/a/b/c"],
  ["?q", "https://example.com/a/b#h"],
  ["#h", "https://example.com/a?b"],
  ["", "https://example.com/a?b#c"],
  ["a b\tc\nd", "https://example.com/"],
  [""],
  ["x"],
  ["//x"],
  ["http://"],
  ["https:example.com"],
  ["https:/example.com/"],
  ["https:///example.com"],
  ["http:\\\\example.com\\a\\b"],
  ["mailto:someone@example.com?subject=hi there"],
  ["data:text/plain,hello world#frag"],
  ["javascript:alert(1)"],
  ["file:///C:/a/../b"],
  ["file:///C|/x"],
  ["file://host/path"],
  ["file:c:\\foo\\bar"],
  ["blob:https://example.com/uuid"],
  ["non-special://host:99/a?b#c"],
  ["non-special:opaque path"],
  ["web+x:/..//p"],
  ["http://127.1/"],
  ["http://0x7f.1"],
  ["http://256.256.256.256"],
  ["http://1.2.3.4.5"],
  ["http://017700000001"],
  ["http://[::1]:80/"],
  ["http://[1::2:3]"],
  ["http://[::ffff:1.2.3.4]"],
  ["http://[1::2::3]"],
  ["http://[::1"],
  ["https://mañana.example/é?é#é"],
  ["https://ドメイン.テスト"],
  ["https://xn--maana-pta.example"],
  ["https://xn--"],
  ["https://faß.de"],
  ["https://ex\u00adample.com"],
  ["https://a_b.c"],
  ["https://exa%6Dple.com"],
  ["https://a%00b"],
  ["https://a b"],
  ["http://host:65535"],
  ["http://host:65536"],
  ["http://host:"],
  ["http://host:08"],
  ["http://ho^st"],
  ["http://a.b/%zz%41"],
  ["http://a.b/?q='\"<>`{}|^"],
  ["http://a.b/#'\"<>`{}|^"],
  ["http://a.b/'\"<>`{}|"],
  ["wss://x:443/y"],
  ["ftp://x:21/y"],
  ["https://x/\u{1F600}?\uD800"],
  ["http://a.b/..%2f.."],
  ["http://a.b/;x=1/..;"],
  ["http://EXAMPLE.com."],
  ["http://.."],
  ["about:blank"],
  ["urn:isbn:123"],
  ["  https://trim.me  "],
  ["http://user@/x"],
  ["http://@x"],
  ["http://:@x"],
  ["http://a:b@c:d"],
  ["https://☃.net/"],
  ["https://a.b\u3002c"],
  ["http://％４１.com"],
];

test("URLs parse as in Node", () => {
  for (const [input, base] of INPUTS) {
    attempt(`URL ${JSON.stringify(input)} ${base ?? ""}`, () => {
      const url = new URL(input, base);
      return FIELDS.map((field) => url[field]);
    });
    show("canParse", URL.canParse(input, base));
  }
});

// The product of parts finds what a list of cases does not think of.
function generated(): string[] {
  const hosts = [
    "a.b",
    "A.b",
    "a.1",
    "1.2.3.4",
    "0x7f.1",
    "xn--a",
    "a-b.c--d",
    "h:80",
    "h:443",
    "h:8080",
    "h:080",
    "h:70000",
    "u@h",
    "[::1]",
    "a..b",
    "a.",
    "-a-",
    "a_b",
    "é.x",
    "a%41.b",
    "1a",
    "a1",
    "",
  ];
  const tails = [
    "",
    "/",
    "/a/b",
    "/./a",
    "/a/../b",
    "/a/.",
    "/a/..",
    "/%2e/x",
    "/a%2E%2e/b",
    "/.x",
    "/a.b",
    "/a//b",
    "/a b",
    "/\\a",
    "/~'()*",
    "/|[]",
    "?",
    "/?q=1&r=a/b?c",
    "/?a'b",
    "/?%zz",
    "/#",
    "/#f",
    "/?#",
    "/a;b=c,d:e@f",
  ];
  return ["http:", "https:", "HTTPS:", "ws:", "x:"].flatMap((scheme) =>
    hosts.flatMap((host) => tails.map((tail) => `${scheme}//${host}${tail}`)),
  );
}

test("generated URLs parse as in Node", () => {
  for (const input of generated()) attempt(input, () => new URL(input).href);
});

test("a request normalises its URL like URL does", () => {
  let checked = 0;
  for (const input of [
    ...INPUTS.filter(([, base]) => base === undefined).map(([url]) => url),
    ...generated(),
  ]) {
    let href: string;
    try {
      const url = new URL(input);
      if (url.username !== "" || url.password !== "") continue;
      href = url.href;
    } catch {
      throws(() => new Request(input), "TypeError");
      continue;
    }
    equal(new Request(input).url, href, input);
    checked += 1;
  }
  equal(checked > 1000, true, "number of valid URLs");
});

test("every setter does as in Node", () => {
  const starts = [
    "https://u:p@example.com:81/a/b?c=d#e",
    "file:///x/y",
    "mailto:a@b",
    "non-special://h/p",
  ];
  const values = [
    "",
    "http",
    "HTTPS",
    "ftp:",
    "x y",
    "new.host:99",
    "é",
    "/p/../q",
    "?s t",
    "#h",
    "99",
    "80",
    "-1",
    "a:b",
    "\t\n",
    "1.2",
  ];
  for (const start of starts) {
    for (const field of FIELDS) {
      if (field === "origin") continue;
      for (const value of values) {
        // Node 20 takes these for no port at all; the standard has them change nothing.
        if (field === "port" && (value === "new.host:99" || value === "\t\n")) continue;
        attempt(`${start} ${field} = ${JSON.stringify(value)}`, () => {
          const url = new URL(start);
          url[field] = value;
          return url.href;
        });
      }
    }
  }
});

test("search parameters and URL stay in step", () => {
  const url = new URL("https://x/?a=1&b=2&a=3");
  url.searchParams.append("c", "ü &=+%");
  equal(url.search, "?a=1&b=2&a=3&c=%C3%BC+%26%3D%2B%25");
  url.search = "?z=9";
  equal([...url.searchParams], [["z", "9"]]);
  url.searchParams.delete("z");
  equal(url.href, "https://x/");
});

test("URLSearchParams do as in Node", () => {
  const inputs = [
    "",
    "?a=b",
    "a=b&c",
    "a=%zz",
    "a+b=c%20d",
    "&&a&&=b",
    "a==b",
    "%F0%9F%98%80=%ff",
    "??x",
    "a=1&a=2&b=3&a=4",
  ];
  for (const input of inputs) {
    const params = new URLSearchParams(input);
    show(`params ${input}`, [
      params.toString(),
      params.size,
      [...params],
      params.getAll("a"),
      params.has("a"),
      params.has("a", "2"),
      params.get("q"),
    ]);
    params.sort();
    params.set("a", "set");
    params.delete("b", "3");
    show("changed", params.toString());
  }
  show("record", new URLSearchParams({ a: "1", "b c": "é" }).toString());
  show(
    "pairs",
    new URLSearchParams([
      ["a", "1"],
      ["a", "2"],
    ]).toString(),
  );
  show("lone surrogate", new URLSearchParams({ a: "\uD800" }).toString());
  throws(() => new URLSearchParams([["a"]] as never), "TypeError");
});

test("a URL is an object like the browser's", () => {
  equal(Object.prototype.toString.call(new URL("a:b")), "[object URL]");
  equal(JSON.stringify({ u: new URL("https://a/b") }), '{"u":"https://a/b"}');
  throws(() => (URL as unknown as () => void)(), "TypeError");
  throws(() => new URL("x"), "TypeError");
  equal(Object.keys(globalThis).includes("URL"), false);
});

// What a server passes on is parsed only when something of it changes: each change comes to a URL
// of which some parts were read before, or none.
const CHANGES: readonly (readonly [what: string, change: (url: URL) => void])[] = [
  ["href", (url) => (url.href = "https://new.example/?n=1#h")],
  ["a bad href", (url) => (url.href = "nonsense")],
  ["protocol", (url) => (url.protocol = "https")],
  ["username", (url) => (url.username = "me")],
  ["host", (url) => (url.host = "other:99")],
  ["hostname", (url) => (url.hostname = "other")],
  ["port", (url) => (url.port = "99")],
  ["pathname", (url) => (url.pathname = "/new path")],
  ["search", (url) => (url.search = "?n=1")],
  ["no search", (url) => (url.search = "")],
  ["hash", (url) => (url.hash = "h")],
  ["append", (url) => url.searchParams.append("n", "1 2")],
  ["delete", (url) => url.searchParams.delete("a")],
  ["sort", (url) => url.searchParams.sort()],
];

test("a URL that was not parsed changes like any other", () => {
  for (const [what, change] of CHANGES) {
    for (const touched of ["nothing", "pathname", "searchParams"] as const) {
      const url = new URL("http://localhost:8787/users/1?z=%20&a=b+c");
      const params = touched === "searchParams" ? url.searchParams : undefined;
      if (touched === "pathname") void url.pathname;
      attempt(`${what} after ${touched}`, () => change(url));
      for (const field of FIELDS) show(`${what} after ${touched}: ${field}`, url[field]);
      show(`${what} after ${touched}: params`, [...url.searchParams]);
      if (params !== undefined) {
        equal(url.searchParams === params, true, "the same searchParams");
        params.set("late", "x");
        show(`${what} after ${touched}: late`, url.href);
      }
    }
  }
});

test("searchParams of a URL that was not parsed", () => {
  const url = new URL("http://localhost/x?a=1&a=2&b=%C3%A4+%2B&c");
  show("all", [...url.searchParams]);
  show("get", [url.searchParams.get("b"), url.searchParams.getAll("a"), url.searchParams.size]);
  show("json", JSON.stringify({ url }));
  show("canParse", [URL.canParse("http://localhost/x"), URL.canParse("/x", "http://localhost/")]);
  show("copy", new URL(url).href);
  show("base", new URL("../y?z", "http://localhost/a/b/c?d").href);
  show("query only", new URL("http://localhost/??a=1").searchParams.get("?a"));
});
