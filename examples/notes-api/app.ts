// A notes service: an API, and a page that uses it. The README has a tour of it.
//
//     schemascript serve examples/notes-api/app.ts
import { Busy, searchWords, UniqueViolation } from "schemascript";
import {
  expectMatch,
  json,
  notFound,
  Problem,
  readJson,
  router,
  versioned,
  type Context,
} from "./http";
import * as store from "./notes";
import { isTheme, page, pageIcon, pageScript, pageStyle, THEMES, themeOf } from "./page";
import { exportNotes, importNotes } from "./transfer";

interface Env {
  /** For how many days the trash keeps a note; 30 if it is not there. */
  readonly TRASH_DAYS?: string;
}
type Call = Context<Env>;

const BODY_BYTES_MAX = 512 << 10; // A body of 100,000 characters, escaped.
const LIMIT = { default: 20, max: 100 };
const DAY = 24 * 60 * 60 * 1000;
const YEAR_SECONDS = 365 * 24 * 60 * 60;

// --- Notes ---

const idOf = ({ params: { id = "" } }: Call): number => {
  if (!/^[1-9][0-9]{0,14}$/.test(id)) throw notFound("such note");
  return Number(id);
};

const noteAnswer = (note: store.Note, init: ResponseInit = {}) => {
  const { version: _, ...shown } = note;
  return json(shown, { ...init, headers: { ...init.headers, etag: store.etagOf(note) } });
};

const listNotes = async ({ url }: Call) => {
  const query = url.searchParams;
  const limit = query.get("limit") ?? String(LIMIT.default);
  if (!/^[1-9][0-9]{0,2}$/.test(limit) || Number(limit) > LIMIT.max) {
    throw new Problem(400, `The limit must be from 1 to ${LIMIT.max}.`);
  }
  const options: store.ListOptions = {
    list: query.get("list") === "trash" ? "trash" : "live",
    tag: query.get("tag") || undefined,
    limit: Number(limit),
    cursor: query.get("cursor") ?? undefined,
  };
  const words = query.get("q")?.trim();
  const found = words
    ? await store.searchNotes(searchWords(words), options)
    : await store.listNotes(options);
  return json({ notes: found.notes, next: found.next && nextPage(url, found.next) });
};

function nextPage(url: URL, cursor: string): string {
  const next = new URL(url);
  next.searchParams.set("cursor", cursor);
  return next.pathname + next.search;
}

const createNote = async ({ request }: Call) => {
  const input = store.checkNote(await readJson(request, BODY_BYTES_MAX), "new");
  const [id] = await store.addNotes([input]);
  const note = await store.readNote(id!);
  return noteAnswer(note, { status: 201, headers: { location: `/notes/${id}` } });
};

const readNote = async (call: Call) => {
  const note = await store.readNote(idOf(call));
  return versioned(call.request, store.etagOf(note), () => noteAnswer(note));
};

const changeNote = (as: "new" | "change") => async (call: Call) => {
  const id = idOf(call);
  const input = store.checkNote(await readJson(call.request, BODY_BYTES_MAX), as);
  // PUT says all of it: what is left out is as it would be in a new note.
  const whole = as === "new" ? { body: "", pinned: false, tags: [], ...input } : input;
  await store.changeNote(id, whole, (etag) => expectMatch(call.request, etag));
  return noteAnswer(await store.readNote(id));
};

const deleteNote = async (call: Call) => {
  await store.moveNote(idOf(call), "trash", (etag) => expectMatch(call.request, etag));
  return new Response(null, { status: 204 });
};

const restoreNote = async (call: Call) => {
  const id = idOf(call);
  await store.moveNote(id, "live", (etag) => expectMatch(call.request, etag));
  return noteAnswer(await store.readNote(id));
};

// --- Tags ---

const createTag = async ({ request }: Call) => {
  const name = store.checkTag(await readJson(request, BODY_BYTES_MAX));
  await store.addTag(name);
  return json({ name, notes: 0 }, { status: 201, headers: { location: `/tags/${name}` } });
};

const renameTag = async ({ request, params }: Call) => {
  const name = store.checkTag(await readJson(request, BODY_BYTES_MAX));
  await store.changeTag(params["name"]!, name);
  return json({ name });
};

const deleteTag = async ({ params }: Call) => {
  await store.changeTag(params["name"]!, null);
  return new Response(null, { status: 204 });
};

// --- Preferences: a cookie, and nothing on the server ---

const setPreferences = async ({ request }: Call) => {
  const input = (await readJson(request, BODY_BYTES_MAX)) as { theme?: unknown } | null;
  const theme = input?.theme;
  if (!isTheme(theme)) {
    const message = `theme must be one of ${THEMES.join(", ")}`;
    throw new Problem(422, "Some fields are not as they must be.", {
      errors: [{ field: "theme", rule: "enum", message }],
    });
  }
  const cookie = `theme=${theme}; Path=/; Max-Age=${YEAR_SECONDS}; SameSite=Lax; HttpOnly`;
  return new Response(null, { status: 204, headers: { "set-cookie": cookie } });
};

const routes = router<Env>([
  ["/", { GET: ({ request }) => page(request) }],
  ["/page.css", { GET: pageStyle }],
  ["/page.js", { GET: pageScript }],
  ["/icon.svg", { GET: pageIcon }],
  ["/notes", { GET: listNotes, POST: createNote }],
  [
    "/notes/:id",
    { GET: readNote, PUT: changeNote("new"), PATCH: changeNote("change"), DELETE: deleteNote },
  ],
  ["/notes/:id/restore", { POST: restoreNote }],
  ["/tags", { GET: async () => json(await store.listTags()), POST: createTag }],
  ["/tags/:name", { PATCH: renameTag, DELETE: deleteTag }],
  [
    "/preferences",
    { GET: ({ request }) => json({ theme: themeOf(request) }), PUT: setPreferences },
  ],
  ["/export.ndjson", { GET: exportNotes }],
  ["/import", { POST: ({ request }) => importNotes(request) }],
]);

/** What went wrong in a way that the client can understand. The rest is the server's to log and to answer with 500. */
function problemOf(error: unknown): Problem | undefined {
  if (error instanceof Problem) return error;
  if (error instanceof UniqueViolation) {
    return new Problem(409, `Another one has the same ${error.columns?.join(" and ")}.`);
  }
  if (error instanceof Busy) {
    return new Problem(503, "Others are writing; try again.", { headers: { "retry-after": "1" } });
  }
  return undefined;
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    try {
      return await routes({ request, url: new URL(request.url), params: {}, env });
    } catch (error) {
      const problem = problemOf(error);
      if (!problem) throw error;
      return problem.toResponse();
    }
  },

  /** Called each night, as schemascript.json says. */
  async scheduled(_event: unknown, env: Env | undefined): Promise<void> {
    const days = Number(env?.TRASH_DAYS ?? 30);
    const removed = await store.emptyTrash(new Date(Date.now() - days * DAY));
    console.log(`${removed} notes were removed from the trash`);
  },
};
