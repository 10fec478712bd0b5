// Export and import as NDJSON: a line of JSON for each note. Neither is ever in memory as a whole.
import { Problem, expectType, json, pieces } from "./http";
import { addNotes, checkNote, everyNote, type NoteInput } from "./notes";

const PIECE_CHARACTERS = 16 << 10;
const IMPORT_BYTES_MAX = 32 << 20;
const LINE_CHARACTERS_MAX = 256 << 10;
const NOTES_AT_ONCE = 100;
const PROBLEMS_MAX = 50;

/** Rows are read from the database when the client is ready to take them, and not before. */
export function exportNotes(): Response {
  const rows = everyNote()[Symbol.asyncIterator]();
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        let text = "";
        while (text.length < PIECE_CHARACTERS) {
          const { done, value } = await rows.next();
          if (!done) text += `${JSON.stringify(value)}\n`;
          else if (text === "") return controller.close();
          else break;
        }
        controller.enqueue(encoder.encode(text));
      },
      async cancel() {
        await rows.return?.();
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, {
    headers: {
      "content-type": "application/x-ndjson",
      "content-disposition": 'attachment; filename="notes.ndjson"',
      "cache-control": "no-store",
    },
  });
}

/** Adds what it can, some notes at a time: others can write while a client is still sending. */
export async function importNotes(request: Request): Promise<Response> {
  expectType(request, "application/x-ndjson");
  const rejected: { line: number; detail: string; errors?: unknown }[] = [];
  let imported = 0;
  let rejectedCount = 0;
  let waiting: NoteInput[] = [];
  const flush = async () => {
    if (waiting.length > 0) imported += (await addNotes(waiting)).length;
    waiting = [];
  };

  let line = 0;
  for await (const text of lines(request)) {
    line += 1;
    if (text.trim() === "") continue;
    try {
      waiting.push(checkNote(parsed(text), "import"));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      rejectedCount += 1;
      const { message: detail, errors } = error;
      if (rejected.length < PROBLEMS_MAX) {
        rejected.push({ line, detail, ...(errors ? { errors } : {}) });
      }
    }
    if (waiting.length === NOTES_AT_ONCE) await flush();
  }
  await flush();
  return json({ imported, rejected: rejectedCount, problems: rejected });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Problem(400, "The line is not JSON.");
  }
}

async function* lines(request: Request): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const piece of pieces(request, IMPORT_BYTES_MAX)) {
    rest += decoder.decode(piece, { stream: true });
    const complete = rest.split("\n");
    rest = complete.pop() ?? "";
    yield* complete;
    if (rest.length > LINE_CHARACTERS_MAX) {
      throw new Problem(413, `A line must not be longer than ${LINE_CHARACTERS_MAX} characters.`);
    }
  }
  rest += decoder.decode();
  if (rest !== "") yield rest;
}
