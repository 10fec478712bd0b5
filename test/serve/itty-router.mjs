// examples/itty-router over HTTP: that the router works as it is.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Connection, Server } from "./server.mjs";

describe("itty-router", () => {
  let server;
  before(async () => (server = await Server.start("examples/itty-router/app.ts")));
  after(() => server.stop());
  const send = (method, path, json) => server.fetch(path, { method, json });

  test("a task is added, read, changed and removed", async () => {
    const added = await send("POST", "/tasks", { title: "Write" });
    assert.equal(added.status, 201);
    const { id } = added.body;
    assert.equal(added.headers.get("location"), `/tasks/${id}`);
    assert.deepEqual((await send("GET", `/tasks/${id}`)).body, added.body);
    const done = await send("PATCH", `/tasks/${id}`, { done: true });
    assert.deepEqual([done.status, done.body], [200, { ...added.body, done: true }]);
    assert.deepEqual((await send("GET", "/tasks?done=yes")).body, [done.body]);
    assert.deepEqual((await send("GET", "/tasks?done=no")).body, []);
    assert.equal((await send("DELETE", `/tasks/${id}`)).status, 204);
    const gone = await send("GET", `/tasks/${id}`);
    assert.deepEqual(
      [gone.status, gone.body],
      [404, { status: 404, error: "There is no such task." }],
    );
  });

  test("what is wrong has the status that says so", async () => {
    assert.equal((await send("POST", "/tasks", { title: "Once" })).status, 201);
    const again = await send("POST", "/tasks", { title: "Once" });
    assert.deepEqual([again.status, again.body.error], [409, "There is such a task."]);
    const wrong = await send("POST", "/tasks", { title: "", done: "yes" });
    assert.equal(wrong.status, 422);
    assert.deepEqual(
      wrong.body.errors.map(({ field }) => field),
      ["title", "done"],
    );
    assert.equal((await send("GET", "/nothing")).status, 404);
    assert.equal((await send("GET", "/tasks/x")).status, 404);
    const malformed = {
      method: "POST",
      body: "{",
      headers: { "content-type": "application/json" },
    };
    assert.equal((await server.fetch("/tasks", malformed)).status, 422);
    const { id } = (await send("POST", "/tasks", { title: "Twice" })).body;
    assert.equal((await send("PATCH", `/tasks/${id}`, {})).status, 422);
    assert.equal((await send("PATCH", `/tasks/${id}`, { title: "Once" })).status, 409);
  });

  test("cookies are read and several are set; CORS is allowed", async () => {
    const cookie = "name=Ada; other=1";
    assert.deepEqual((await server.fetch("/", { headers: { cookie } })).body, { hello: "Ada" });
    assert.deepEqual((await server.fetch("/")).body, { hello: "stranger" });
    const connection = await Connection.open(server.port);
    connection.send("PUT /name/ada HTTP/1.1\nHost: a\nContent-Length: 0\n\n");
    const named = await connection.head();
    assert.equal(named.status, 204);
    assert.deepEqual(named.all("set-cookie"), [
      "name=ada; Path=/; SameSite=Lax",
      "named=yes; Path=/; SameSite=Lax",
    ]);
    connection.send("OPTIONS /tasks HTTP/1.1\nHost: a\nOrigin: https://app.example.com\n\n");
    const preflight = await connection.head();
    assert.equal(preflight.status, 204);
    assert.equal(preflight.get("access-control-allow-origin"), "https://app.example.com");
    connection.close();
    const tasks = await server.fetch("/tasks");
    assert.equal(tasks.headers.get("access-control-allow-origin"), "https://app.example.com");
  });

  test("a stream is made of rows", async () => {
    await send("POST", "/tasks", { title: "Ünïcode ☃", done: true });
    const { status, body } = await server.fetch("/tasks.txt");
    assert.equal(status, 200);
    assert.match(body, /^\[ \] Once\n(?:\[ \] .*\n)*\[x\] Ünïcode ☃\n$/);
  });
});
