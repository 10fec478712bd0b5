// Headers, Request, Response, Blob, File, FormData.
import { attempt, attemptAsync, equal, show, test, throws } from "./harness.js";

test("headers are normalised, combined and sorted as in Node", () => {
  const inits: unknown[] = [
    undefined,
    {},
    { B: "2", a: " 1\t" },
    [
      ["x", "1"],
      ["X", "2"],
      ["set-cookie", "a=1"],
      ["Set-Cookie", "b=2"],
      ["a", ""],
    ],
    new Headers({ q: "1" }),
    new Map([["m", "1"]]),
    [["a"]],
    [["a", "b", "c"]],
    null,
    5,
    "text",
    { "bad name": "1" },
    { "": "1" },
    { a: "b\nc" },
    { a: "\u20ac" },
    { a: "\xff" },
    { a: 5 },
    { a: "\n 1 \r" },
  ];
  for (const [index, init] of inits.entries()) {
    attempt(`headers ${index}`, () => {
      const headers = new Headers(init as HeadersInit);
      return [
        [...headers],
        [...headers.keys()],
        [...headers.values()],
        headers.getSetCookie(),
        headers.get("A"),
        headers.get("set-cookie"),
        headers.has("x"),
      ];
    });
  }
});

test("headers change", () => {
  const headers = new Headers();
  headers.append("A", "1");
  headers.append("a", "2");
  headers.set("b", "3");
  equal(headers.get("a"), "1, 2");
  headers.set("a", "4");
  headers.delete("B");
  equal([...headers], [["a", "4"]]);
  const seen: unknown[] = [];
  headers.forEach(function (this: unknown, value, name, parent) {
    seen.push(value, name, parent === headers, this);
  }, "that");
  equal(seen, ["4", "a", true, "that"]);
  equal(Object.prototype.toString.call(headers), "[object Headers]");
  equal(headers.get("none"), null);
  for (const change of ["append", "set"] as const)
    throws(() => headers[change]("a b", "x"), "TypeError");
});

test("a change during iteration shows", () => {
  const headers = new Headers({ a: "1", c: "3" });
  const seen: string[] = [];
  for (const [name] of headers) {
    seen.push(name);
    if (name === "a") headers.append("d", "4");
  }
  equal(seen, ["a", "c", "d"]);
});

const BODIES: readonly (readonly [name: string, make: () => BodyInit | null])[] = [
  ["null", () => null],
  ["text", () => "hé\uD800"],
  ["empty", () => ""],
  ["bytes", () => new Uint8Array([0x7b, 0x7d])],
  ["view", () => new Uint8Array([1, 0x33, 0x34, 2]).subarray(1, 3)],
  ["buffer", () => new Uint8Array([0x31]).buffer],
  ["blob", () => new Blob(["[1]"], { type: "Text/JSON" })],
  ["untyped blob", () => new Blob(["[1]"])],
  ["params", () => new URLSearchParams({ a: "b c" })],
  ["bom", () => new Uint8Array([0xef, 0xbb, 0xbf, 0x31])],
  [
    "stream",
    () =>
      new ReadableStream<Uint8Array>({
        start(c) {
          c.enqueue(new Uint8Array([0x5b]));
          c.enqueue(new Uint8Array([0x5d]));
          c.close();
        },
      }),
  ],
  ["number", () => 12 as never],
];

test("bodies of every kind are read in every way", async () => {
  for (const [name, make] of BODIES) {
    for (const method of ["text", "json", "arrayBuffer"] as const) {
      await attemptAsync(`${name} ${method}`, () => new Response(make())[method]());
    }
    const response = new Response(make());
    show(`${name} type`, response.headers.get("content-type"));
    show(`${name} null`, response.body === null);
    const blob = await new Response(make()).blob();
    show(`${name} blob`, [blob.size, blob.type, await blob.text()]);
    const request = new Request("https://x/", {
      method: "POST",
      body: make(),
      ...(name === "stream" ? { duplex: "half" } : {}),
    } as RequestInit);
    show(`${name} request`, [
      request.headers.get("content-type"),
      await request.text(),
      request.bodyUsed,
    ]);
    const pieces: string[] = [];
    for await (const chunk of (new Response(make()).body ?? []) as AsyncIterable<Uint8Array>)
      pieces.push(new TextDecoder().decode(chunk));
    show(`${name} streamed`, pieces.join(""));
  }
});

test("a body is read once", async () => {
  const response = new Response("x");
  equal(response.bodyUsed, false);
  const first = response.text();
  equal(response.bodyUsed, true);
  equal(await first, "x");
  await attemptAsync("again", () => response.text());
  throws(() => response.clone(), "TypeError");
  const locked = new Response("y");
  locked.body?.getReader();
  await attemptAsync("locked", () => locked.text());
  equal(locked.bodyUsed, false);
  const none = new Response();
  await none.text();
  equal([none.bodyUsed, await none.text()], [false, ""]);
  const cancelled = new Response("z");
  await cancelled.body?.cancel();
  equal(cancelled.bodyUsed, true);
});

test("asking for the stream does not use the body", async () => {
  const response = new Response("still here");
  equal(response.body instanceof ReadableStream, true);
  equal(response.body === response.body, true);
  equal([response.bodyUsed, await response.text()], [false, "still here"]);
});

test("clones are independent", async () => {
  const response = new Response("text", { status: 201, statusText: "Made", headers: { a: "1" } });
  const clone = response.clone();
  clone.headers.set("a", "2");
  equal(
    [
      response.headers.get("a"),
      clone.status,
      clone.statusText,
      await clone.text(),
      await response.text(),
    ],
    ["1", 201, "Made", "text", "text"],
  );
  const streamed = new Response(new Blob(["abc"]).stream());
  const copy = streamed.clone();
  equal([await streamed.text(), await copy.text()], ["abc", "abc"]);
  const request = new Request("https://x/", { method: "PUT", body: "b", headers: { h: "1" } });
  const twin = request.clone();
  equal(
    [twin.method, twin.headers.get("h"), await twin.text(), await request.text()],
    ["PUT", "1", "b", "b"],
  );
});

test("a response checks its parts as in Node", () => {
  const inits: unknown[] = [
    {},
    { status: 204 },
    { status: 199 },
    { status: 600 },
    { status: 599 },
    { status: "404" },
    { statusText: "ok\n" },
    { statusText: "fine" },
    null,
    7,
  ];
  for (const init of inits) {
    attempt(`response ${JSON.stringify(init)}`, () => {
      const response = new Response(null, init as ResponseInit);
      return [
        response.status,
        response.ok,
        response.statusText,
        response.type,
        response.url,
        response.redirected,
      ];
    });
  }
  for (const status of [204, 205, 304]) throws(() => new Response("", { status }), "TypeError");
  throws(() => new Response("", { status: 101 }), "RangeError");
});

test("Response.json, redirect and error", async () => {
  const json = Response.json({ a: 1 }, { status: 418, headers: { x: "y" } });
  show("json", [json.status, [...json.headers], await json.text()]);
  show(
    "typed",
    Response.json(1, { headers: { "content-type": "x/y" } }).headers.get("content-type"),
  );
  throws(() => Response.json(undefined), "TypeError");
  const redirect = Response.redirect("https://x/é", 307);
  show("redirect", [redirect.status, redirect.headers.get("location"), redirect.body]);
  throws(() => redirect.headers.set("a", "b"), "TypeError");
  throws(() => Response.redirect("https://x/", 200), "RangeError");
  throws(() => Response.redirect("relative"), "TypeError");
  const error = Response.error();
  show("error", [error.type, error.status, error.ok, error.body]);
  throws(() => error.headers.append("a", "b"), "TypeError");
});

test("a request checks its parts as in Node", () => {
  const attempts: [unknown, RequestInit?][] = [
    ["https://x/a?b#c"],
    ["/relative"],
    ["https://u:p@x/"],
    [new URL("https://y/")],
    ["https://x/", { method: "post" }],
    ["https://x/", { method: "patch" }],
    ["https://x/", { method: "trace" }],
    ["https://x/", { method: "a b" }],
    ["https://x/", { body: "x" }],
    ["https://x/", { method: "HEAD", body: "x" }],
    ["https://x/", { mode: "bad" as never }],
    ["https://x/", { redirect: "manual", cache: "no-store", credentials: "omit", keepalive: true }],
    ["https://x/", { signal: 5 as never }],
    ["https://x/", { method: "POST", body: new ReadableStream() }],
  ];
  for (const [index, [input, init]] of attempts.entries()) {
    attempt(`request ${index}`, () => {
      const r = new Request(input as string, init);
      return [
        r.url,
        r.method,
        r.mode,
        r.redirect,
        r.cache,
        r.credentials,
        r.keepalive,
        r.integrity,
        r.destination,
        r.referrer,
        r.referrerPolicy,
        r.body === null,
      ];
    });
  }
});

test("a request made from a request takes its body", async () => {
  const first = new Request("https://x/", { method: "POST", body: "b", headers: { a: "1" } });
  const second = new Request(first, { headers: { c: "2" } });
  equal(
    [
      first.bodyUsed,
      second.method,
      second.headers.get("a"),
      second.headers.get("c"),
      await second.text(),
    ],
    [true, "POST", null, "2", "b"],
  );
  throws(() => new Request(first), "TypeError");
});

test("an abort reaches a request's own signal", () => {
  const controller = new AbortController();
  const request = new Request("https://x/", { signal: controller.signal });
  equal(request.signal.aborted, false);
  controller.abort("why");
  equal([request.signal.aborted, request.signal.reason], [true, "why"]);
});

test("blobs", async () => {
  const blob = new Blob(["ab", new Uint8Array([0x63]), new Blob(["de"]), 5 as never], {
    type: "A/B",
  });
  show("blob", [blob.size, blob.type, await blob.text(), await blob.arrayBuffer()]);
  for (const [from, to] of [
    [0, 2],
    [-2, undefined],
    [1, -1],
    [4, 2],
    [0, 99],
  ] as [number, number?][]) {
    const part = blob.slice(from, to, "T/U");
    show(`slice ${from} ${to}`, [part.size, part.type, await part.text()]);
  }
  show("nested slice", await blob.slice(1, 5).slice(1, 3).text());
  throws(() => new Blob("text" as never), "TypeError");
  const file = new File(["x"], "n.txt", { type: "text/plain", lastModified: 7 });
  show("file", [
    file.name,
    file.lastModified,
    file.type,
    file.size,
    file instanceof Blob,
    Object.prototype.toString.call(file),
  ]);
  let streamed = "";
  for await (const chunk of blob.stream() as unknown as AsyncIterable<Uint8Array>)
    streamed += new TextDecoder().decode(chunk);
  equal(streamed, "abcde5");
});

test("form data", async () => {
  const form = new FormData();
  form.append("a", "1");
  form.append("a", "two\nlines");
  form.append('q"uote', "é");
  form.append("f", new File(["content"], 'n"a.txt', { type: "text/plain" }));
  form.append("b", new Blob(["\0\r\n--x"]), "named.bin");
  show(
    "entries",
    [...form].map(([name, value]) => [
      name,
      typeof value === "string" ? value : [value.name, value.type, value.size],
    ]),
  );
  show("access", [form.get("a"), form.getAll("a"), form.has("zz"), form.get("zz")]);
  const response = new Response(form);
  equal(/^multipart\/form-data; boundary=/.test(response.headers.get("content-type") ?? ""), true);
  const back = await response.formData();
  for (const [name, value] of back)
    show(
      `back ${name}`,
      typeof value === "string" ? value : [value.name, value.type, await value.text()],
    );
  form.set("a", "only");
  form.delete("f");
  show("changed", [...form.keys()]);
  throws(() => (form.append as (name: string) => void)("x"), "TypeError");
  throws(() => form.append("x", "text" as never, "filename"), "TypeError");
});

test("forms are parsed", async () => {
  const type = { "content-type": "application/x-www-form-urlencoded" };
  show("urlencoded", [...(await new Response("a=1&b=%C3%A9+x", { headers: type }).formData())]);
  const multipart = { "content-type": 'multipart/form-data; boundary="x"' };
  const read = async (body: string): Promise<unknown> => [
    ...(await new Response(body, { headers: multipart }).formData()),
  ];
  await attemptAsync("one part", () =>
    read('--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nv\r\n--x--\r\n'),
  );
  await attemptAsync("empty value", () =>
    read('--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n--x--\r\n'),
  );
  await attemptAsync("cut off", () =>
    read('--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nv'),
  );
  await attemptAsync("no boundary", () => read("nothing"));
  await attemptAsync("no name", () =>
    read("--x\r\nContent-Disposition: form-data\r\n\r\nv\r\n--x--"),
  );
  await attemptAsync("wrong type", () => new Response("x").formData());
});
