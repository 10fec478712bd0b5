// Notes and tags in the database. What only reads is prepared while the module is loaded: its SQL is made once, for all requests.
import { and, eq, inArray, isNotNull, isNull, lt, sql, type SQL } from "drizzle-orm";
import { database, search, type Issue } from "schemascript";
import { Problem, type FieldError } from "./http";
import { notes, noteTags, tags } from "./schema";

const db = database({ notes, tags, noteTags });
type Transaction = Parameters<Parameters<typeof db.transaction>[0]>[0];

/** Around the words that a search has found; no text that a person types holds them. */
export const MARKS = ["\u{E000}", "\u{E001}"] as const;
const EXCERPT_CHARACTERS = 200;
const TAGS_MAX = 20;

export type List = "live" | "trash";
const IS_IN: Readonly<Record<List, SQL>> = {
  live: isNull(notes.deletedAt),
  trash: isNotNull(notes.deletedAt),
};
const LISTS = Object.keys(IS_IN) as List[];

const placeholder = sql.placeholder;

// Among the columns of a select from one table, Drizzle writes a column without its table: here both are written out.
const tagNames = sql`(SELECT json_group_array(name) FROM (
  SELECT ${tags}.name FROM ${noteTags} JOIN ${tags} ON ${tags}.id = ${noteTags}."tagId"
  WHERE ${noteTags}."noteId" = ${notes}.id ORDER BY ${tags}.name))`.mapWith(
  (text: string) => JSON.parse(text) as string[],
);

const wholeNote = {
  id: notes.id,
  title: notes.title,
  body: notes.body,
  pinned: notes.pinned,
  tags: tagNames,
  version: notes.version,
  createdAt: notes.createdAt,
  updatedAt: notes.updatedAt,
  deletedAt: notes.deletedAt,
};
const listedNote = {
  id: notes.id,
  title: notes.title,
  excerpt: sql<string>`substr(${notes.body}, 1, ${sql.raw(String(EXCERPT_CHARACTERS))})`,
  pinned: notes.pinned,
  tags: tagNames,
  updatedAt: notes.updatedAt,
};

// --- Reading ---

const noteById = db
  .select(wholeNote)
  .from(notes)
  .where(eq(notes.id, placeholder("id")))
  .prepare();

export type Note = Awaited<ReturnType<typeof readNote>>;

export async function readNote(id: number) {
  const note = await noteById.get({ id });
  if (!note) throw new Problem(404, `There is no note ${id}.`);
  return note;
}

export const etagOf = ({ id, version }: { id: number; version: number }) => `"${id}.${version}"`;

// A page begins behind the last note of the one before: a place in the order of the index, which costs the same on each page.
const hasTag = sql`(${placeholder("tag")} IS NULL OR EXISTS (
  SELECT 1 FROM ${noteTags} JOIN ${tags} ON ${tags.id} = ${noteTags.tagId}
  WHERE ${noteTags.noteId} = ${notes.id} AND ${tags.name} = ${placeholder("tag")}))`;

const prepareList = (list: List) =>
  db
    .select(listedNote)
    .from(notes)
    .where(
      and(
        IS_IN[list],
        sql`(${notes.pinned}, ${notes.updatedAt}, ${notes.id}) <
          (${placeholder("pinned")}, ${placeholder("updatedAt")}, ${placeholder("id")})`,
        hasTag,
      ),
    )
    .orderBy(sql`${notes.pinned} DESC, ${notes.updatedAt} DESC, ${notes.id} DESC`)
    .limit(placeholder("limit"))
    .prepare();

const found = search(notes, sql<string>`${placeholder("words")}`);
const prepareSearch = (list: List) =>
  db
    .select({
      ...listedNote,
      title: found.highlight("title", ...MARKS),
      excerpt: found.snippet("body", ...MARKS, 24),
      rank: found.rank,
    })
    .from(notes)
    .where(
      and(
        found,
        IS_IN[list],
        hasTag,
        sql`(${found.rank}, ${notes.id}) > (${placeholder("rank")}, ${placeholder("id")})`,
      ),
    )
    .orderBy(sql`${found.rank}, ${notes.id}`)
    .limit(placeholder("limit"))
    .prepare();

const forEachList = <Query>(prepare: (list: List) => Query) =>
  Object.fromEntries(LISTS.map((list) => [list, prepare(list)])) as Record<List, Query>;
const lists = forEachList(prepareList);
const searches = forEachList(prepareSearch);

/** Where a page begins: behind the last note of the page before. */
type Place = readonly number[];
const LIST_BEGIN: Place = [2, 0, 0]; // Before all: `pinned` is 0 or 1.
const SEARCH_BEGIN: Place = [-Number.MAX_VALUE, 0];

export interface ListOptions {
  readonly list: List;
  readonly tag: string | undefined;
  readonly limit: number;
  readonly cursor: string | undefined;
}

/** The newest first, pinned ones before them. `next` is the cursor of the next page. */
export async function listNotes({ list, tag = null as never, limit, cursor }: ListOptions) {
  const [pinned, updatedAt, id] = placeOf(cursor, LIST_BEGIN);
  const rows = await lists[list].all({ pinned, updatedAt, id, tag, limit: limit + 1 });
  return pageOf(rows, limit, (note) => [Number(note.pinned), note.updatedAt.getTime(), note.id]);
}

/** The best first. A note that is changed while somebody turns the pages may come twice, or not. */
export async function searchNotes(
  words: string,
  { list, tag = null as never, limit, cursor }: ListOptions,
) {
  const [rank, id] = placeOf(cursor, SEARCH_BEGIN);
  const rows = await searches[list].all({ words, rank, id, tag, limit: limit + 1 });
  const page = pageOf(rows, limit, (note) => [note.rank, note.id]);
  return { ...page, notes: page.notes.map(({ rank: _, ...note }) => note) };
}

// One row more than the page has says that there is a next one.
function pageOf<Row>(rows: readonly Row[], limit: number, place: (row: Row) => Place) {
  const last = rows.length > limit ? rows[limit - 1] : undefined;
  return { notes: rows.slice(0, limit), next: last ? btoa(JSON.stringify(place(last))) : null };
}

function placeOf(cursor: string | undefined, begin: Place): Place {
  if (cursor === undefined) return begin;
  try {
    const place: unknown = JSON.parse(atob(cursor));
    const isPlace = Array.isArray(place) && place.every((part) => Number.isFinite(part));
    if (isPlace && place.length === begin.length) return place as Place;
  } catch {
    // As below.
  }
  throw new Problem(400, "The cursor is none that this list has answered.");
}

/** All notes that are not in the trash, in pieces, with what an import takes. */
export function everyNote() {
  const { id: _, version: __, deletedAt: ___, ...exported } = wholeNote;
  return db.iterate(db.select(exported).from(notes).where(IS_IN.live).orderBy(notes.id));
}

// --- Validation: the rules are those of the tables ---

export interface NoteInput {
  readonly title: string;
  readonly body?: string;
  readonly pinned?: boolean;
  readonly tags?: readonly string[];
  readonly createdAt?: Date;
  readonly updatedAt?: Date;
}

/** What clients write; the rest of a note is the service's own. An import may say when, too. */
const WRITTEN = ["title", "body", "pinned"] as const;
const IMPORTED = [...WRITTEN, "createdAt", "updatedAt"] as const;

export function checkNote(input: unknown, as: "new" | "change" | "import"): NoteInput {
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    throw new Problem(422, "The body must be an object.");
  }
  const { tags: names, ...fields } = input as Record<string, unknown>;
  const allowed: readonly string[] = as === "import" ? IMPORTED : WRITTEN;
  const foreign = Object.keys(fields).filter((key) => !allowed.includes(key));
  for (const key of foreign) delete fields[key];

  const kind = as === "change" ? "update" : "insert";
  const checked = notes.validate(fields, { kind, form: "json" });
  const errors: FieldError[] = [
    ...foreign.map((field) => ({ field, rule: "unknown", message: `${field} cannot be set` })),
    ...(checked.issues ?? []).map((issue) => errorOf(issue)),
    ...checkTags(names),
  ];
  if (errors.length > 0) throw new Problem(422, "Some fields are not as they must be.", { errors });
  const row = "value" in checked ? (checked.value as NoteInput) : undefined;
  return { ...row!, ...(names === undefined ? {} : { tags: [...new Set(names as string[])] }) };
}

function errorOf({ path, rule, message }: Issue, field = path.join(".")): FieldError {
  return { field, rule, message };
}

function checkTags(names: unknown): FieldError[] {
  if (names === undefined) return [];
  const wrong = (rule: string, message: string) => [{ field: "tags", rule, message }];
  if (!Array.isArray(names)) return wrong("type", "tags must be an array of names");
  if (names.length > TAGS_MAX) return wrong("maxLength", `tags must be at most ${TAGS_MAX}`);
  return names.flatMap((name: unknown, index) =>
    (tags.validate({ name }).issues ?? []).map((issue) => errorOf(issue, `tags.${index}`)),
  );
}

export function checkTag(input: unknown): string {
  const { issues, ...checked } = tags.validate(input);
  if (!issues && "value" in checked && checked.value.id === undefined) return checked.value.name;
  const errors = issues?.map((issue) => errorOf(issue)) ?? [
    { field: "id", rule: "unknown", message: "id cannot be set" },
  ];
  throw new Problem(422, "Some fields are not as they must be.", { errors });
}

// --- Writing ---

/** Adds notes and the tags that they name, all or none. Answers their ids. */
export function addNotes(inputs: readonly NoteInput[]): Promise<number[]> {
  return db.transaction(async (tx) => {
    const rows = inputs.map(({ tags: _, ...row }) => row);
    const added = await tx.insert(notes).values(rows).returning({ id: notes.id });
    const ids = added.map(({ id }) => id).sort((a, b) => a - b);
    await tagNotes(
      tx,
      inputs.flatMap(({ tags: names = [] }, index) =>
        names.map((name) => ({ noteId: ids[index]!, name })),
      ),
    );
    return ids;
  });
}

/** Changes a note; `expect` refuses the version that there is, by throwing. */
export function changeNote(id: number, input: Partial<NoteInput>, expect: (etag: string) => void) {
  return db.transaction(async (tx) => {
    expect(etagOf(await versionOf(tx, id, "live")));
    const { tags: names, ...fields } = input;
    await tx
      .update(notes)
      .set({ ...fields, ...changed() })
      .where(eq(notes.id, id));
    if (names) {
      await tx.delete(noteTags).where(eq(noteTags.noteId, id));
      await tagNotes(
        tx,
        names.map((name) => ({ noteId: id, name })),
      );
    }
  });
}

/** Into the trash, or out of it. */
export function moveNote(id: number, to: List, expect: (etag: string) => void): Promise<void> {
  return db.transaction(async (tx) => {
    expect(etagOf(await versionOf(tx, id, to === "trash" ? "live" : "trash")));
    const { version } = changed();
    const deletedAt = to === "trash" ? new Date() : null;
    await tx.update(notes).set({ version, deletedAt }).where(eq(notes.id, id));
  });
}

/** Removes for good what was deleted before a time, and tags that no note has. */
export function emptyTrash(before: Date): Promise<number> {
  return db.transaction(async (tx) => {
    const { changes } = await tx.delete(notes).where(lt(notes.deletedAt, before));
    await tx.delete(tags).where(sql`${tags.id} NOT IN (SELECT ${noteTags.tagId} FROM ${noteTags})`);
    return Number(changes);
  });
}

const changed = () => ({ version: sql`${notes.version} + 1`, updatedAt: new Date() });

async function versionOf(tx: Transaction, id: number, list: List) {
  const note = await tx
    .select({ id: notes.id, version: notes.version })
    .from(notes)
    .where(and(eq(notes.id, id), IS_IN[list]))
    .get();
  if (!note)
    throw new Problem(404, `There is no note ${id}${list === "trash" ? " in the trash" : ""}.`);
  return note;
}

async function tagNotes(tx: Transaction, pairs: readonly { noteId: number; name: string }[]) {
  const names = [...new Set(pairs.map(({ name }) => name))];
  if (names.length === 0) return;
  await tx
    .insert(tags)
    .values(names.map((name) => ({ name })))
    .onConflictDoNothing();
  const rows = await tx.select().from(tags).where(inArray(tags.name, names));
  const ids = new Map(rows.map(({ id, name }) => [name, id]));
  await tx
    .insert(noteTags)
    .values(pairs.map(({ noteId, name }) => ({ noteId, tagId: ids.get(name)! })));
}

// --- Tags ---

const tagsWithCounts = db
  .select({ name: tags.name, notes: sql<number>`count(${notes.id})` })
  .from(tags)
  .leftJoin(noteTags, eq(noteTags.tagId, tags.id))
  .leftJoin(notes, and(eq(notes.id, noteTags.noteId), IS_IN.live))
  .groupBy(tags.id)
  .orderBy(tags.name)
  .prepare();

export const listTags = () => tagsWithCounts.all();

export async function addTag(name: string): Promise<void> {
  await db.insert(tags).values({ name });
}

/** Renames a tag, or removes it where `to` is null. */
export function changeTag(name: string, to: string | null): Promise<void> {
  return db.transaction(async (tx) => {
    const tag = await tx.select().from(tags).where(eq(tags.name, name)).get();
    if (!tag) throw new Problem(404, `There is no tag ${name}.`);
    // What a note shows of it changes as well.
    const itsNotes = sql`${notes.id} IN (SELECT ${noteTags.noteId} FROM ${noteTags} WHERE ${noteTags.tagId} = ${tag.id})`;
    await tx.update(notes).set({ version: changed().version }).where(itsNotes);
    if (to === null) await tx.delete(tags).where(eq(tags.id, tag.id));
    else await tx.update(tags).set({ name: to }).where(eq(tags.id, tag.id));
  });
}
