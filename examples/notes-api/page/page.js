// The page's own script: everything that it shows and changes goes through the API.
const byId = (id) => document.getElementById(id);
const [list, count, more, search, tag, where, theme] = [
  ...["list", "count", "more", "search", "tag", "where", "theme"],
].map(byId);
const [editor, form, problem, toast, undo] = ["editor", "note", "problem", "toast", "undo"].map(
  byId,
);

// --- The API ---

/** Calls it and answers `{ status, headers, body }`; what is not a success is thrown in the same form. */
async function call(method, path, { body, headers = {}, signal } = {}) {
  const response = await fetch(path, {
    method,
    signal,
    headers: body === undefined ? headers : { "content-type": "application/json", ...headers },
    body: body === undefined || body instanceof Blob ? body : JSON.stringify(body),
  });
  const type = response.headers.get("content-type") ?? "";
  const content = /json/.test(type) ? await response.json() : null;
  const answer = { status: response.status, headers: response.headers, body: content };
  if (!response.ok) throw answer;
  return answer;
}

/** A sentence about what was thrown. */
function sentenceOf(error) {
  if (error?.body?.detail) return error.body.detail;
  if (error?.status) return `The server answered ${error.status}.`;
  return "The server cannot be reached.";
}

// --- The list ---

const MARKED = /\u{E000}(.*?)\u{E001}/su;

/** Text whose words between marks are found ones. Text stays text: nothing of it becomes HTML. */
function highlighted(text) {
  return text.split(MARKED).map((part, index) => {
    if (index % 2 === 0) return part;
    return element("mark", {}, part);
  });
}

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

const dates = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });

function card(note) {
  const open = element("button", { type: "button" }, ...highlighted(note.title));
  const isTrash = where.value === "trash";
  open.addEventListener("click", () => (isTrash ? restore(note) : edit(note.id)));
  if (isTrash) open.title = "Take it out of the trash";
  const time = element(
    "time",
    { datetime: note.updatedAt },
    dates.format(new Date(note.updatedAt)),
  );
  return element(
    "li",
    { class: "note", "data-id": note.id },
    element("h2", {}, open),
    element("p", {}, ...highlighted(note.excerpt)),
    element(
      "footer",
      {},
      ...(note.pinned ? [element("span", { class: "pin" }, "Pinned")] : []),
      ...note.tags.map((name) => element("span", { class: "tag" }, name)),
      time,
    ),
  );
}

let loading = new AbortController();
let nextPage = null;

function listPath() {
  const query = new URLSearchParams({ list: where.value });
  if (search.value.trim() !== "") query.set("q", search.value);
  if (tag.value !== "") query.set("tag", tag.value);
  return `/notes?${query}`;
}

/** Shows a page of the list: the first, or one behind those that are there. */
async function show(path = listPath()) {
  loading.abort();
  loading = new AbortController();
  const { signal } = loading;
  try {
    const { body } = await call("GET", path, { signal });
    const cards = body.notes.map(card);
    const isMore = path === nextPage;
    if (isMore) list.append(...cards);
    else list.replaceChildren(...cards);
    if (isMore) cards[0]?.querySelector("button").focus();
    nextPage = body.next;
    more.hidden = nextPage === null;
    const shown = list.children.length;
    const kind = where.value === "trash" ? "in the trash" : search.value.trim() ? "found" : "";
    count.textContent =
      `${shown}${nextPage ? " or more" : ""} ${shown === 1 ? "note" : "notes"} ${kind}`.trim();
  } catch (error) {
    if (!signal.aborted) count.textContent = sentenceOf(error);
  }
}

async function showTags() {
  const { body } = await call("GET", "/tags");
  const chosen = tag.value;
  const options = body
    .filter(({ name, notes }) => notes > 0 || name === chosen)
    .map(({ name, notes }) => element("option", { value: name }, `${name} (${notes})`));
  tag.replaceChildren(element("option", { value: "" }, "All"), ...options);
  tag.value = chosen;
}

const refresh = () => Promise.all([show(), showTags().catch(() => {})]);

let typing;
search.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(show, 150);
});
byId("filter").addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(typing);
  show();
});
for (const choice of [tag, where]) choice.addEventListener("change", () => show());
more.addEventListener("click", () => show(nextPage));

// --- The editor ---

let edited = null; // What is in the editor: null for a new note, else its id and its ETag.
const FIELDS = ["title", "body", "tags"];

function openEditor(note) {
  byId("editor-title").textContent = note ? "Edit note" : "New note";
  byId("title").value = note?.title ?? "";
  byId("body").value = note?.body ?? "";
  byId("tags").value = note?.tags.join(" ") ?? tag.value;
  byId("pinned").checked = note?.pinned ?? false;
  byId("delete").hidden = !note;
  showProblem(null);
  editor.showModal();
  byId("title").focus();
}

function create() {
  edited = null;
  openEditor(null);
}

async function edit(id) {
  try {
    const { body, headers } = await call("GET", `/notes/${id}`);
    edited = { id, etag: headers.get("etag") };
    openEditor(body);
  } catch (error) {
    say(sentenceOf(error));
  }
}

/** The whole of a problem, and each field's part beside the field. */
function showProblem(error) {
  const errors = error?.body?.errors ?? [];
  for (const name of FIELDS) {
    const own = errors.filter(({ field }) => field === name || field.startsWith(`${name}.`));
    const place = byId(`${name}-error`);
    place.textContent = own.map(({ message }) => message).join("; ");
    place.hidden = own.length === 0;
    byId(name).setAttribute("aria-invalid", String(own.length > 0));
  }
  problem.textContent = error ? sentenceOf(error) : "";
  problem.hidden = !error;
  const first = FIELDS.find((name) => byId(name).getAttribute("aria-invalid") === "true");
  if (first) byId(first).focus();
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const body = {
    title: byId("title").value.trim(),
    body: byId("body").value,
    tags: byId("tags").value.split(/\s+/).filter(Boolean),
    pinned: byId("pinned").checked,
  };
  try {
    if (edited) {
      await call("PUT", `/notes/${edited.id}`, { body, headers: { "if-match": edited.etag } });
    } else {
      await call("POST", "/notes", { body });
    }
    editor.close();
    say(edited ? "The note was saved." : "The note was added.");
    await refresh();
  } catch (error) {
    showProblem(error);
  }
});

byId("delete").addEventListener("click", async () => {
  const { id, etag } = edited;
  try {
    await call("DELETE", `/notes/${id}`, { headers: { "if-match": etag } });
    editor.close();
    say("The note is in the trash.", () => restore({ id }));
    await refresh();
  } catch (error) {
    showProblem(error);
  }
});

byId("cancel").addEventListener("click", () => editor.close());
byId("new").addEventListener("click", create);

async function restore({ id }) {
  try {
    await call("POST", `/notes/${id}/restore`);
    say("The note is back.");
    await refresh();
  } catch (error) {
    say(sentenceOf(error));
  }
}

// --- Messages ---

let fading;
function say(text, action) {
  clearTimeout(fading);
  byId("toast-text").textContent = text;
  undo.hidden = !action;
  undo.onclick = action ?? null;
  toast.hidden = false;
  fading = setTimeout(() => (toast.hidden = true), action ? 10_000 : 4000);
}

// --- Theme, import, keys ---

theme.value = document.documentElement.dataset.theme;
theme.addEventListener("change", async () => {
  document.documentElement.dataset.theme = theme.value;
  try {
    await call("PUT", "/preferences", { body: { theme: theme.value } });
  } catch (error) {
    say(sentenceOf(error));
  }
});

byId("import").addEventListener("change", async ({ target }) => {
  const [file] = target.files;
  if (!file) return;
  try {
    const headers = { "content-type": "application/x-ndjson" };
    const { body } = await call("POST", "/import", { body: file, headers });
    say(`${body.imported} notes were imported, ${body.rejected} were refused.`);
    await refresh();
  } catch (error) {
    say(sentenceOf(error));
  }
  target.value = "";
});

document.addEventListener("keydown", (event) => {
  if (editor.open) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName)) return;
  if (event.key === "/") search.focus();
  else if (event.key === "n") create();
  else return;
  event.preventDefault();
});

refresh();
