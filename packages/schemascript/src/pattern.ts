// From regular expressions to SQLite's GLOB, where the two say exactly the same. SQLite has no
// regular expressions of its own; what GLOB cannot say is left to the validators.
import { constantText } from "./sql-text.js";

// Longer conditions help nobody, and SQLite compares each of their characters.
const GLOB_LENGTH_MAX = 1000;

/** One character of a text, as the inside of GLOB's brackets: `a-z0-9`. */
interface Step {
  readonly set: string;
  readonly isNegated: boolean;
  readonly min: number;
  readonly max: number; // Infinity for + and *.
}

/**
 * The condition that a text matches, as SQL; undefined where SQLite cannot say exactly that.
 * `column` is its name, quoted.
 */
export function patternCondition(pattern: RegExp, column: string): string | undefined {
  if (/[imvgy]/.test(pattern.flags)) return undefined;
  let { source } = pattern;
  const isOpenStart = !source.startsWith("^");
  const isOpenEnd = !/(?<!\\)(?:\\\\)*\$$/.test(source);
  if (!isOpenStart) source = source.slice(1);
  if (!isOpenEnd) source = source.slice(0, -1);
  const steps = stepsOf(source, pattern);
  if (!steps) return undefined;

  // SQLite's functions stop reading a text at a NUL; one that holds a NUL does not match.
  const whole = `instr(${column}, char(0)) = 0`;
  const [only] = steps;
  if (steps.length === 1 && only && !isOpenStart && !isOpenEnd && only.set !== "") {
    // All characters are of one kind: none is of any other.
    if (only.isNegated) return oneKind(only, `[${only.set}]`);
    return oneKind(only, `[^${only.set}]`);
  }
  const glob = globOf(steps);
  if (glob === undefined) return undefined;
  const ends = `${isOpenStart ? "*" : ""}${glob}${isOpenEnd ? "*" : ""}`;
  if (ends.length > GLOB_LENGTH_MAX) return undefined;
  return `${column} GLOB ${constantText(ends)} AND ${whole}`;

  function oneKind({ min, max }: Step, others: string): string {
    const parts = [`${column} NOT GLOB ${constantText(`*${others}*`)}`, whole];
    if (min === max) parts.unshift(`length(${column}) = ${min}`);
    else {
      if (max !== Infinity) parts.unshift(`length(${column}) <= ${max}`);
      if (min > 0) parts.unshift(`length(${column}) >= ${min}`);
    }
    return parts.join(" AND ");
  }
}

function globOf(steps: readonly Step[]): string | undefined {
  let glob = "";
  for (const { set, isNegated, min, max } of steps) {
    const isAny = set === "" && !isNegated;
    const one = isAny ? "?" : `[${isNegated ? "^" : ""}${set}]`;
    // GLOB repeats only what may be anything.
    if (min !== max && !(isAny && max === Infinity)) return undefined;
    if (min * one.length > GLOB_LENGTH_MAX) return undefined;
    glob += (literalOf(set, isNegated) ?? one).repeat(min);
    if (max === Infinity) glob += "*";
  }
  return glob;
}

// A single character without brackets, where GLOB means it literally.
function literalOf(set: string, isNegated: boolean): string | undefined {
  return !isNegated && [...set].length === 1 && !/[*?[]/.test(set) ? set : undefined;
}

function stepsOf(source: string, { flags }: RegExp): readonly Step[] | undefined {
  const isByCodePoint = flags.includes("u");
  const steps: Step[] = [];
  let rest = source;
  while (rest !== "") {
    const found =
      /^(?:\[(?<class>(?:\\.|[^\]\\])*)\]|\\(?<escape>.)|(?<any>\.)|(?<plain>[^\\^$.*+?()[\]{}|/]))(?<times>[*+?]|\{\d+(?:,\d*)?\})?/su.exec(
        rest,
      );
    if (!found?.groups) return undefined;
    rest = rest.slice(found[0].length);
    const times = timesOf(found.groups["times"]);
    if (!times || /^[?+*{]/.test(rest)) return undefined; // A lazy quantifier, or a mistake.
    const { class: inside, escape, any, plain } = found.groups;
    let set: string | undefined;
    let isNegated = false;
    if (any !== undefined) {
      // Without the flags, a dot is not a line break, and half of a character beyond the BMP.
      if (!flags.includes("s") || !isByCodePoint) return undefined;
      set = "";
    } else if (inside !== undefined) {
      isNegated = inside.startsWith("^");
      set = setOf(isNegated ? inside.slice(1) : inside);
      if (set === undefined || set === "" || (isNegated && !isByCodePoint)) return undefined;
    } else {
      set = escape !== undefined ? escaped(escape) : plain;
      if (set === undefined || !isSingle(set)) return undefined;
    }
    steps.push({ set, isNegated, ...times });
  }
  return steps;
}

function timesOf(text: string | undefined): { min: number; max: number } | undefined {
  switch (text) {
    case undefined:
      return { min: 1, max: 1 };
    case "*":
      return { min: 0, max: Infinity };
    case "+":
      return { min: 1, max: Infinity };
    case "?":
      return { min: 0, max: 1 };
  }
  const [, least = "", comma, most = ""] = /^\{(\d+)(,?)(\d*)\}$/.exec(text) ?? [];
  const min = Number(least);
  const max = comma ? (most === "" ? Infinity : Number(most)) : min;
  return min <= max && min <= GLOB_LENGTH_MAX ? { min, max } : undefined;
}

// The inside of a class for GLOB, which has no escapes: "]" stands first, "-" last, "^" not first.
function setOf(inside: string): string | undefined {
  let body = "";
  const special = new Set<string>();
  let rest = inside;
  while (rest !== "") {
    const found = /^(?:\\(?<escape>.)|(?<plain>[^\\]))/su.exec(rest);
    if (!found?.groups) return undefined;
    rest = rest.slice(found[0].length);
    const { escape, plain } = found.groups;
    const item = escape !== undefined ? escaped(escape) : plain;
    if (item === undefined) return undefined;
    if (item.length === 1 || !item.includes("-")) {
      const range = /^-(\\.|[^\\])/su.exec(rest);
      if (range) {
        const last = range[1]?.startsWith("\\") ? escaped(range[1].slice(1)) : range[1];
        rest = rest.slice(range[0].length);
        if (last === undefined || !isSingle(last) || !isSingle(item)) return undefined;
        if (!/^[a-zA-Z0-9]$/.test(item) || !/^[a-zA-Z0-9]$/.test(last) || item > last)
          return undefined;
        body += `${item}-${last}`;
        continue;
      }
      if (!isSingle(item)) return undefined;
      if ("]^-".includes(item)) special.add(item);
      else body += item;
    } else {
      body += item; // \d and \w are ranges themselves.
      if (rest.startsWith("-") && rest !== "-") return undefined;
    }
  }
  const first = special.has("]") ? "]" : "";
  const last = `${special.has("^") ? "^" : ""}${special.has("-") ? "-" : ""}`;
  // "^" alone would negate.
  return first + body === "" && last.startsWith("^") ? undefined : first + body + last;
}

function escaped(letter: string): string | undefined {
  const known: Record<string, string> = { d: "0-9", w: "a-zA-Z0-9_", t: "\t", n: "\n", r: "\r" };
  if (known[letter] !== undefined) return known[letter];
  return /[a-zA-Z0-9]/.test(letter) ? undefined : letter;
}

// One character that both count as one. A set such as \d is one character of a text, too.
function isSingle(text: string): boolean {
  return text === "0-9" || text === "a-zA-Z0-9_" || /^[\u0001-\ud7ff\ue000-\uffff]$/.test(text);
}
