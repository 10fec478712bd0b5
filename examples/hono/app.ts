// Short links with Hono, unchanged from npm: its middleware, its validator with a table as the schema, signed cookies, streams.
//
//     npm install && schemascript serve app.ts --db links.db --push --env-file .env
//
// .env has ADMIN_PASSWORD, for who changes links, and COOKIE_SECRET, which signs cookies.
import { sValidator } from "@hono/standard-validator";
import { eq, sql } from "drizzle-orm";
import { Hono } from "hono";
import { basicAuth } from "hono/basic-auth";
import { bodyLimit } from "hono/body-limit";
import { deleteCookie, getSignedCookie, setCookie, setSignedCookie } from "hono/cookie";
import { cors } from "hono/cors";
import { etag } from "hono/etag";
import { HTTPException } from "hono/http-exception";
import { logger } from "hono/logger";
import { secureHeaders } from "hono/secure-headers";
import { stream, streamSSE } from "hono/streaming";
import { timing } from "hono/timing";
import { database, UniqueViolation } from "schemascript";
import { links } from "./schema";

interface Env {
  Bindings: { ADMIN_PASSWORD?: string; COOKIE_SECRET?: string };
}

const db = database({ links });
const listed = { slug: links.slug, url: links.url, visits: links.visits };
const linkBySlug = db
  .select(listed)
  .from(links)
  .where(eq(links.slug, sql.placeholder("slug")))
  .prepare();
const countVisit = db
  .update(links)
  .set({ visits: sql`${links.visits} + 1` })
  .where(eq(links.slug, sql.placeholder("slug")))
  .prepare();

const app = new Hono<Env>();
app.use(timing());
app.use(logger((line) => console.log(line)));
app.use(secureHeaders());
app.use(
  "/links/*",
  cors({ origin: "https://app.example.com", allowMethods: ["GET", "POST", "DELETE"] }),
);
app.use("/links/*", etag());
app.use(bodyLimit({ maxSize: 16 << 10, onError: (c) => c.json({ error: "too large" }, 413) }));

// Who changes something has to know the password.
app.on(["POST", "DELETE"], "/links/*", (c, next) => {
  const password = c.env.ADMIN_PASSWORD;
  if (!password) throw new HTTPException(503, { message: "ADMIN_PASSWORD is not set" });
  return basicAuth({ username: "admin", password })(c, next);
});

app.get("/", (c) => c.text("Short links: GET /links, POST /links, and /SLUG leads to its page.\n"));

app.get("/links", async (c) => c.json(await db.select(listed).from(links).orderBy(links.slug)));

app.post(
  "/links",
  sValidator("json", links, (result, c) => {
    if (result.success) return undefined;
    const errors = result.error.map(({ path, message }) => ({ field: path?.join("."), message }));
    return c.json({ error: "not as it must be", errors }, 422);
  }),
  async (c) => {
    const { slug, url } = c.req.valid("json");
    await db.insert(links).values({ slug, url });
    return c.json({ slug, url, visits: 0 }, 201, { location: `/links/${slug}` });
  },
);

app.get("/links/:slug{[a-z0-9-]+}", async (c) => {
  const link = await linkBySlug.get({ slug: c.req.param("slug") });
  return link ? c.json(link) : c.notFound();
});

app.delete("/links/:slug", async (c) => {
  const { changes } = await db.delete(links).where(eq(links.slug, c.req.param("slug")));
  return Number(changes) === 0 ? c.notFound() : c.body(null, 204);
});

// A line for each link, as the client takes them.
app.get("/export.csv", (c) => {
  c.header("content-type", "text/csv; charset=utf-8");
  return stream(c, async (out) => {
    await out.write("slug,visits,url\n");
    for await (const { slug, visits, url } of db.iterate(db.select(listed).from(links))) {
      await out.write(`${slug},${visits},"${url.replaceAll('"', '""')}"\n`);
    }
  });
});

// Three ticks, as server-sent events.
app.get("/ticks", (c) =>
  streamSSE(c, async (out) => {
    for (let id = 1; id <= 3; id++) {
      await out.writeSSE({ event: "tick", id: String(id), data: String(await db.$count(links)) });
      await out.sleep(20);
    }
  }),
);

// What this client visited last: in a cookie that it cannot change.
app.get("/last", async (c) => {
  const slug = await getSignedCookie(c, secretOf(c.env), "last");
  return slug ? c.json({ last: slug }) : c.notFound();
});
app.delete("/last", (c) => {
  deleteCookie(c, "last");
  deleteCookie(c, "visited");
  return c.body(null, 204);
});

app.get("/:slug", async (c) => {
  const slug = c.req.param("slug");
  const link = await linkBySlug.get({ slug });
  if (!link) return c.notFound();
  c.executionCtx.waitUntil(countVisit.run({ slug })); // The client need not wait for it.
  await setSignedCookie(c, "last", slug, secretOf(c.env), { httpOnly: true, sameSite: "Lax" });
  setCookie(c, "visited", "yes", { maxAge: 3600 });
  return c.redirect(link.url, 302);
});

function secretOf({ COOKIE_SECRET: secret }: Env["Bindings"]): string {
  if (!secret) throw new HTTPException(503, { message: "COOKIE_SECRET is not set" });
  return secret;
}

app.notFound((c) => c.json({ error: "there is nothing here" }, 404));
app.onError((error, c) => {
  if (error instanceof HTTPException) return error.getResponse();
  if (error instanceof UniqueViolation) return c.json({ error: "the slug is taken" }, 409);
  console.error(error);
  return c.json({ error: "something went wrong" }, 500);
});

export default app;
