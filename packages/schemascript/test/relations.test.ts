// Relations that follow from references, and how they are told apart.
import assert from "node:assert/strict";
import { test } from "node:test";
import { relations } from "drizzle-orm";
import { Schema, schemaStatements, Table, type SchemaScriptError } from "schemascript";
import { databaseOver } from "schemascript/internal";
import { TestHost } from "./support.js";

const users = Table("users", (prop) => ({
  id: prop.integer().identifier(),
  managerId: prop
    .integer()
    .optional()
    .references(() => users.id, { inverse: "reports" }),
}));
const posts = Table("posts", (prop) => ({
  id: prop.integer().identifier(),
  author_id: prop.integer().references(() => users.id),
  reviewer: prop
    .integer()
    .optional()
    .references(() => users.id, { name: "reviewedBy", inverse: "reviews" }),
}));

async function opened<S extends Record<string, unknown>>(schema: S, tables: readonly never[]) {
  const host = new TestHost();
  const database = databaseOver(host.call);
  const db = database(schema);
  for (const statement of schemaStatements(tables)) await db.run(statement);
  return db;
}

test("both sides of a reference are found", async () => {
  const db = await opened({ users, posts }, [users, posts] as never);
  await db.insert(users).values([{ id: 1 }, { id: 2, managerId: 1 }]);
  await db.insert(posts).values([{ id: 5, author_id: 2, reviewer: 1 }]);
  assert.deepEqual(await db.query.users.findMany({ with: { posts: true, reports: true } }), [
    { id: 1, managerId: null, posts: [], reports: [{ id: 2, managerId: 1 }] },
    { id: 2, managerId: 1, posts: [{ id: 5, author_id: 2, reviewer: 1 }], reports: [] },
  ]);
  assert.deepEqual(
    await db.query.posts.findFirst({ with: { author: { with: { manager: true } } } }),
    {
      id: 5,
      author_id: 2,
      reviewer: 1,
      author: { id: 2, managerId: 1, manager: { id: 1, managerId: null } },
    },
  );
  assert.deepEqual(
    await db.query.users.findFirst({
      columns: { id: true },
      with: { reviews: { with: { reviewedBy: true } } },
    }),
    {
      id: 1,
      reviews: [{ id: 5, author_id: 2, reviewer: 1, reviewedBy: { id: 1, managerId: null } }],
    },
  );
});

test("two references to one table have no inverse, unless it is named", async () => {
  const matches = Table("matches", (prop) => ({
    id: prop.integer().identifier(),
    homeId: prop.integer().references(() => users.id),
    guestId: prop.integer().references(() => users.id),
  }));
  const db = await opened({ users, matches }, [users, matches] as never);
  await db.insert(users).values([{ id: 1 }, { id: 2 }]);
  await db.insert(matches).values({ homeId: 2, guestId: 1 });
  const match = await db.query.matches.findFirst({ with: { home: true, guest: true } });
  assert.deepEqual([match?.home.id, match?.guest.id], [2, 1]);
  await assert.rejects(async () => db.query.users.findMany({ with: { matches: true } as {} }));
});

test("a name that a column or another relation has is refused where it was given", () => {
  const wrong = (name: string, inverse: string) => {
    const items = Table("items", (prop) => ({
      id: prop.integer().identifier(),
      ownerId: prop.integer().references(() => users.id, { name, inverse }),
    }));
    return () => databaseOver(new TestHost().call)({ users, items });
  };
  assert.throws(wrong("id", "items"), /^SchemaScriptError: items\.id would be two things/);
  assert.throws(wrong("owner", "managerId"), (error: SchemaScriptError) => {
    return error.code === "invalid-schema" && /^users\.managerId would be two/.test(error.message);
  });
});

test("what relations() says stands", async () => {
  const Teams = Schema("teams", (prop) => ({ id: prop.integer().identifier() }));
  const teams = Table(Teams);
  const players = Table("players", (prop) => ({
    id: prop.integer().identifier(),
    teamId: prop.integer().references(() => Teams.id),
  }));
  const playersOwn = relations(players, ({ one }) => ({
    club: one(teams, { fields: [players.teamId], references: [teams.id] }),
  }));
  const db = await opened({ players, playersOwn, teams }, [teams, players] as never);
  await db.insert(teams).values({ id: 3 });
  await db.insert(players).values({ id: 4, teamId: 3 });
  assert.deepEqual(await db.query.players.findFirst({ with: { club: true } }), {
    id: 4,
    teamId: 3,
    club: { id: 3 },
  });
  await assert.rejects(async () => db.query.players.findMany({ with: { team: true } as {} }));
});

test("a table that is not in the schema object is no relation", () => {
  assert.doesNotThrow(() => databaseOver(new TestHost().call)({ posts }));
});

test("what JSON cannot hold is an error in a relation, never another value", async () => {
  const albums = Table("albums", (prop) => ({ id: prop.integer().identifier() }));
  const photos = Table("photos", (prop) => ({
    id: prop.integer().identifier(),
    albumId: prop.integer().references(() => albums.id),
    bytes: prop.blob().optional(),
    size: prop.integer({ mode: "bigint" }),
    names: prop.text().array(),
    at: prop.datetime(),
  }));
  const db = await opened({ albums, photos }, [albums, photos] as never);
  await db.insert(albums).values({ id: 1 });
  const photo = { id: 1, albumId: 1, size: 5n, names: ["a"], at: new Date(7) };
  await db.insert(photos).values({ ...photo, bytes: Uint8Array.of(255) });
  const photosOf = (columns?: { bytes: false }) =>
    db.query.albums.findMany({ with: { photos: columns ? { columns } : true } });
  await assert.rejects(async () => photosOf(), /JSON cannot hold BLOB values/);
  assert.deepEqual(await photosOf({ bytes: false }), [{ id: 1, photos: [photo] }]);
  await db.update(photos).set({ size: 2n ** 60n });
  await assert.rejects(
    async () => photosOf({ bytes: false }),
    /photos.size holds something that is not a bigint/,
  );
});
