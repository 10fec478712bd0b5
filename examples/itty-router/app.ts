// A list of tasks with itty-router, unchanged from npm: parameters, middleware, cookies, CORS, errors, a stream.
//
//     npm install && schemascript serve app.ts --db tasks.db --push
import { eq, sql } from "drizzle-orm";
import {
  cors,
  error,
  json,
  Router,
  status,
  StatusError,
  withContent,
  withCookies,
  type IRequest,
} from "itty-router";
import { database, UniqueViolation } from "schemascript";
import { tasks } from "./schema";

interface TaskRequest extends IRequest {
  cookies: Record<string, string | undefined>;
  content: unknown;
}

const db = database({ tasks });
const taskById = db
  .select()
  .from(tasks)
  .where(eq(tasks.id, sql.placeholder("id")))
  .prepare();

const ORIGIN = "https://app.example.com";
const { preflight } = cors({ origin: ORIGIN, allowMethods: "*" });
// itty-router's own corsify() makes a new response, which keeps its status on Cloudflare's workers alone: that of any other
// runtime is in no own property, and becomes 200.
const allowOrigin = (response: Response) => {
  response.headers.set("access-control-allow-origin", ORIGIN);
};

/** A body with the fields of a task; the table's own rules say what they may be. */
function checked<Kind extends "insert" | "update">(content: unknown, kind: Kind) {
  const result = tasks.validate(content, { kind });
  if (!result.issues) return result.value;
  const errors = result.issues.map(({ path, message }) => ({ field: path.join("."), message }));
  throw new StatusError(422, { error: "not as it must be", errors });
}

async function found(id: string | undefined) {
  const task = /^[0-9]{1,15}$/.test(id ?? "") ? await taskById.get({ id: Number(id) }) : undefined;
  if (!task) throw new StatusError(404, "There is no such task.");
  return task;
}

const router = Router<TaskRequest>({
  before: [preflight, withCookies],
  catch: (problem: unknown) => {
    if (problem instanceof StatusError) return error(problem);
    if (problem instanceof UniqueViolation) return error(409, "There is such a task.");
    throw problem; // The host logs it and answers 500.
  },
  finally: [
    (answer?: unknown) => answer ?? error(404, "There is nothing here."),
    json,
    allowOrigin,
  ],
});

router
  .get("/", ({ cookies }) => ({ hello: cookies["name"] ?? "stranger" }))
  .put("/name/:name", ({ params }) => {
    const response = status(204);
    response.headers.append("set-cookie", `name=${params["name"]}; Path=/; SameSite=Lax`);
    response.headers.append("set-cookie", "named=yes; Path=/; SameSite=Lax");
    return response;
  })
  .get("/tasks", ({ query }) => {
    const all = db.select().from(tasks).orderBy(tasks.id);
    return query["done"] === undefined ? all : all.where(eq(tasks.done, query["done"] === "yes"));
  })
  .post("/tasks", withContent, async ({ content }) => {
    const { title, done } = checked(content, "insert");
    const [task] = await db
      .insert(tasks)
      .values({ title, ...(done === undefined ? {} : { done }) })
      .returning();
    return json(task, { status: 201, headers: { location: `/tasks/${task!.id}` } });
  })
  .get("/tasks/:id", ({ params }) => found(params["id"]))
  .patch("/tasks/:id", withContent, async ({ params, content }) => {
    const { id } = await found(params["id"]);
    const { title, done } = checked(content, "update");
    const change = {
      ...(title === undefined ? {} : { title }),
      ...(done === undefined ? {} : { done }),
    };
    if (Object.keys(change).length === 0) throw new StatusError(422, "There is nothing to change.");
    const [task] = await db.update(tasks).set(change).where(eq(tasks.id, id)).returning();
    return task;
  })
  .delete("/tasks/:id", async ({ params }) => {
    const { id } = await found(params["id"]);
    await db.delete(tasks).where(eq(tasks.id, id));
    return status(204);
  })
  .get("/tasks.txt", () => {
    const lines = async function* () {
      const encoder = new TextEncoder();
      for await (const { title, done } of db.iterate(db.select().from(tasks))) {
        yield encoder.encode(`[${done ? "x" : " "}] ${title}\n`);
      }
    };
    return new Response(streamOf(lines()), {
      headers: { "content-type": "text/plain; charset=utf-8" },
    });
  });

/** A stream that reads on when the client has taken what it got. */
function streamOf(chunks: AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await chunks.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await chunks.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
}

export default router;
