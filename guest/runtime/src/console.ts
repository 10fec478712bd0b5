// console, printing like Node: values by node-inspect-extracted (Node's own formatter), log and kin
// to stream 1, warnings and errors to stream 2. Also reportError.
import { formatWithOptions, inspect } from "node-inspect-extracted";
import errorStack from "./error-stack.cjs";
import { install } from "./install.js";
import { native } from "./native.js";

if (native.promiseState !== undefined) errorStack.promiseState = native.promiseState;

const GROUP_INDENT = "  ";
let indentation = "";
const counts = new Map<string, number>();
const timers = new Map<string, number>();

// Labels of time() are readings of a clock that begins anew, and counts belong to one run.
native.onStart(() => {
  counts.clear();
  timers.clear();
  indentation = "";
});

function format(values: readonly unknown[]): string {
  const [first] = values;
  // What nearly every call is.
  if (values.length === 1 && typeof first === "string") return first;
  return formatWithOptions({}, ...values);
}

function write(stream: 1 | 2, text: string): void {
  const indented =
    indentation === "" ? text : indentation + text.replace(/\n/g, `\n${indentation}`);
  native.log(stream, `${indented}\n`);
}

function log(...values: unknown[]): void {
  write(1, format(values));
}

function warn(...values: unknown[]): void {
  write(2, format(values));
}

function group(...labels: unknown[]): void {
  if (labels.length > 0) log(...labels);
  indentation += GROUP_INDENT;
}

function countLabel(label: unknown): string {
  return label === undefined ? "default" : `${label as string}`;
}

function pad(number: number | string): string {
  return `${number}`.padStart(2, "0");
}

function formatDuration(ms: number): string {
  if (ms < 1000) return `${Number(ms.toFixed(3))}ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds.toFixed(3)}s`;
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  const rest = (seconds % 60).toFixed(3).padStart(6, "0");
  if (hours > 0) return `${hours}:${pad(minutes)}:${rest.slice(0, 2)} (h:mm:ss)`;
  return `${minutes}:${rest} (m:ss.mmm)`;
}

function printTime(label: string, started: number, values: readonly unknown[]): void {
  const duration = formatDuration(native.clock(1) - started);
  log("%s: %s", label, duration, ...values);
}

function findTimer(method: string, label: string): number | undefined {
  const started = timers.get(label);
  if (started === undefined) warn(`Warning: No such label '${label}' for console.${method}()`);
  return started;
}

const CELL_OPTIONS = { maxArrayLength: 3, breakLength: Infinity };

function cell(value: unknown): string {
  const depth =
    typeof value === "object" && value !== null && Object.keys(value).length > 2 ? -1 : 0;
  return inspect(value, { ...CELL_OPTIONS, depth });
}

const COMBINING = /\p{Mark}|[\u200B-\u200F\uFE00-\uFE0F]/u;
const WIDE =
  /[\u1100-\u115F\u2E80-\u303E\u3041-\u33FF\u3400-\u4DBF\u4E00-\u9FFF\uA000-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]|[\u{1F300}-\u{1F64F}\u{1F900}-\u{1F9FF}\u{20000}-\u{3FFFD}]/u;

function displayWidth(text: string): number {
  let width = 0;
  for (const character of text)
    width += COMBINING.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  return width;
}

// Node 20 and later align cells to the left; earlier ones centred them.
function renderTable(head: readonly string[], columns: readonly (readonly string[])[]): string {
  const rows = Math.max(0, ...columns.map((column) => column.length));
  const widths = head.map((title, index) => {
    const cells = Array.from({ length: rows }, (_, row) => columns[index]?.[row] ?? "");
    return Math.max(displayWidth(title), ...cells.map(displayWidth)) + 2;
  });
  const line = (left: string, middle: string, right: string): string =>
    left + widths.map((width) => "─".repeat(width)).join(middle) + right;
  const row = (cells: readonly string[]): string =>
    `│${cells.map((text, index) => alignCell(text, widths[index] as number)).join("│")}│`;
  const lines = [line("┌", "┬", "┐"), row(head), line("├", "┼", "┤")];
  for (let at = 0; at < rows; ++at) lines.push(row(columns.map((column) => column[at] ?? "")));
  lines.push(line("└", "┴", "┘"));
  return lines.join("\n");
}

function alignCell(text: string, width: number): string {
  return ` ${text}${" ".repeat(width - displayWidth(text) - 1)}`;
}

const INDEX = "(index)";
const ITERATION_INDEX = "(iteration index)";

function table(rows: unknown, properties?: readonly string[]): void {
  if (properties !== undefined && !Array.isArray(properties)) {
    throw new TypeError("console.table: the properties must be an array of column names");
  }
  if (rows === null || typeof rows !== "object") {
    log(rows);
    return;
  }
  if (rows instanceof Map) {
    const entries = [...rows];
    write(
      1,
      renderTable(
        [ITERATION_INDEX, "Key", "Values"],
        [
          entries.map((_, index) => `${index}`),
          entries.map(([key]) => cell(key)),
          entries.map(([, value]) => cell(value)),
        ],
      ),
    );
    return;
  }
  if (rows instanceof Set) {
    const values = [...rows];
    write(
      1,
      renderTable(
        [ITERATION_INDEX, "Values"],
        [values.map((_, index) => `${index}`), values.map(cell)],
      ),
    );
    return;
  }
  const named = new Map<string, string[]>();
  const plain: string[] = [];
  let hasPlain = false;
  const indexes = Object.keys(rows);
  for (const [at, key] of indexes.entries()) {
    const item = (rows as Record<string, unknown>)[key];
    if (item === null || (typeof item !== "object" && typeof item !== "function")) {
      hasPlain = true;
      plain[at] = cell(item);
      continue;
    }
    for (const name of properties ?? Object.keys(item)) {
      let column = named.get(name);
      if (column === undefined) named.set(name, (column = []));
      if (Object.hasOwn(item, name)) column[at] = cell((item as Record<string, unknown>)[name]);
    }
  }
  const head = [INDEX, ...named.keys()];
  const columns = [indexes, ...named.values()];
  if (hasPlain) {
    head.push("Values");
    columns.push(plain);
  }
  write(1, renderTable(head, columns));
}

const methods = {
  log,
  info: log,
  debug: log,
  warn,
  error: warn,
  table,
  dir(value: unknown, options: object = {}): void {
    write(1, inspect(value, { customInspect: false, ...options }));
  },
  dirxml: log,
  group,
  groupCollapsed: group,
  groupEnd(): void {
    indentation = indentation.slice(0, -GROUP_INDENT.length);
  },
  time(label?: unknown): void {
    const name = countLabel(label);
    if (timers.has(name)) warn(`Warning: Label '${name}' already exists for console.time()`);
    else timers.set(name, native.clock(1));
  },
  timeEnd(label?: unknown): void {
    const name = countLabel(label);
    const started = findTimer("timeEnd", name);
    if (started === undefined) return;
    printTime(name, started, []);
    timers.delete(name);
  },
  timeLog(label?: unknown, ...values: unknown[]): void {
    const name = countLabel(label);
    const started = findTimer("timeLog", name);
    if (started !== undefined) printTime(name, started, values);
  },
  count(label?: unknown): void {
    const name = countLabel(label);
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    log(`${name}: ${count}`);
  },
  countReset(label?: unknown): void {
    const name = countLabel(label);
    if (!counts.delete(name)) warn(`Warning: Count for '${name}' does not exist`);
  },
  assert(condition?: unknown, ...values: unknown[]): void {
    if (condition) return;
    if (typeof values[0] === "string") warn(`Assertion failed: ${values[0]}`, ...values.slice(1));
    else warn("Assertion failed", ...values);
  },
  trace(...values: unknown[]): void {
    const message = format(values);
    // Without the line of this function.
    const frames = (new Error().stack ?? "")
      .split("\n")
      .filter((line) => line.startsWith("    at "))
      .slice(1);
    write(2, [message === "" ? "Trace" : `Trace: ${message}`, ...frames].join("\n"));
  },
};

const console = Object.create({}) as typeof methods;
Object.assign(console, methods);
Object.defineProperty(console, Symbol.toStringTag, { value: "console", configurable: true });

/** An error that stops nobody, but that somebody should see. */
function reportError(error: unknown): void {
  native.log(2, `Uncaught ${inspect(error)}\n`);
}

install({ console, reportError });

export { inspect };
