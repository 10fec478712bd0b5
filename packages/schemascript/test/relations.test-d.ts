// Relations that follow from references: their names, what they are of, and what they answer.
import { relations } from "drizzle-orm";
import { integer, sqliteTable } from "drizzle-orm/sqlite-core";
import { database, Schema, Table } from "schemascript";

type Equal<One, Other> =
  (<T>() => T extends One ? 1 : 2) extends <T>() => T extends Other ? 1 : 2 ? true : false;
declare function same<One, Other>(equal: Equal<One, Other>): void;

const users = Table("users", (prop) => ({
  id: prop.integer().identifier(),
  // Refers to itself, without an annotation.
  managerId: prop
    .integer()
    .optional()
    .references(() => users.id, { inverse: "reports" }),
}));
const posts = Table("posts", (prop) => ({
  id: prop.integer().identifier(),
  author_id: prop.integer().references(() => users.id, { onDelete: "cascade" }),
  // In a cycle with comments.
  pinnedId: prop
    .integer()
    .optional()
    .references(() => comments.id, { inverse: "pinnedIn" }),
}));
const comments = Table("comments", (prop) => ({
  id: prop.integer().identifier(),
  postId: prop.integer().references(() => posts.id),
  writer: prop.integer().references(() => users.id, { name: "writtenBy", inverse: "written" }),
}));
const db = database({ users, posts, comments });

type User = { id: number; managerId: number | null };
type Post = { id: number; author_id: number; pinnedId: number | null };
type Comment = { id: number; postId: number; writer: number };

type Found<Result> = Awaited<Result>;
export async function results() {
  const withPosts = await db.query.users.findMany({ with: { posts: true } });
  same<typeof withPosts, { id: number; managerId: number | null; posts: Post[] }[]>(true);
  const withAuthor = await db.query.posts.findFirst({ with: { author: true } });
  same<
    typeof withAuthor,
    { id: number; author_id: number; pinnedId: number | null; author: User } | undefined
  >(true);
  const deep = await db.query.users.findFirst({
    columns: { id: true },
    with: {
      manager: true,
      reports: { columns: { id: true } },
      written: { with: { post: { with: { pinned: true } }, writtenBy: true } },
    },
  });
  type Deep = NonNullable<typeof deep>;
  same<Deep["manager"], User | null>(true);
  same<Deep["reports"], { id: number }[]>(true);
  same<Deep["written"][number]["writtenBy"], User>(true);
  same<Deep["written"][number]["post"]["pinned"], Comment | null>(true);
  const pinned = db.query.comments.findMany({ with: { pinnedIn: true } });
  same<Found<typeof pinned>[number]["pinnedIn"], Post[]>(true);
  await db.transaction(async (tx) => {
    const [found] = await tx.query.users.findMany({ with: { posts: true } });
    same<NonNullable<typeof found>["posts"], Post[]>(true);
  });

  // @ts-expect-error: no such relation
  await db.query.users.findMany({ with: { comments: true } });
  // @ts-expect-error: it is called "writtenBy"
  await db.query.comments.findMany({ with: { writer: true } });
}

// Two references to one table have no name for the other side in common: it is given, or missing.
const matches = Table("matches", (prop) => ({
  id: prop.integer().identifier(),
  homeId: prop.integer().references(() => users.id),
  guestId: prop.integer().references(() => users.id),
}));
const clashing = database({ users, matches });
export async function clashes() {
  const [match] = await clashing.query.matches.findMany({ with: { home: true, guest: true } });
  same<NonNullable<typeof match>["home"], User>(true);
  // @ts-expect-error: which of the two?
  await clashing.query.users.findMany({ with: { matches: true } });
}

// What Drizzle's own relations() say stands; a Schema's columns and plain Drizzle tables are led to.
const Teams = Schema("teams", (prop) => ({ id: prop.integer().identifier() }));
const teams = Table(Teams);
const plain = sqliteTable("plain", { id: integer().primaryKey() });
const players = Table("players", (prop) => ({
  id: prop.integer().identifier(),
  teamId: prop.integer().references(() => Teams.id),
  plainId: prop.integer().references(() => plain.id),
}));
const playersOwn = relations(players, ({ one }) => ({
  club: one(teams, { fields: [players.teamId], references: [teams.id] }),
}));
const inferred = database({ teams, players, plain });
const explicit = database({ teams, players, playersOwn });
export async function others() {
  const [team] = await inferred.query.teams.findMany({ with: { players: true } });
  same<NonNullable<typeof team>["players"][number]["teamId"], number>(true);
  const [one] = await inferred.query.plain.findMany({ with: { players: true } });
  same<NonNullable<typeof one>["id"], number>(true);
  const [player] = await explicit.query.players.findMany({ with: { club: true } });
  same<NonNullable<typeof player>["club"], { id: number }>(true);
  // @ts-expect-error: relations() says "club"
  await explicit.query.players.findMany({ with: { team: true } });
}
