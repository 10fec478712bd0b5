// schemascript serve schemascript-serve.ts: GET /user/ID
import { eq } from "drizzle-orm";
import { database } from "schemascript";
import { users } from "../schema.mjs";

const db = database({ users });

export default {
  async fetch(request: Request) {
    const id = Number(new URL(request.url).pathname.split("/").at(-1));
    return Response.json(await db.select().from(users).where(eq(users.id, id)).get());
  },
};
