// Names in generated texts: a table's or a column's name as an identifier of a language.

const RESERVED = new Set(
  (
    "await break case catch class const continue debugger default delete do else enum export extends false finally " +
    "for function if implements import in instanceof interface let new null package private protected public return " +
    "static super switch this throw true try typeof var void while with yield any unknown never object string number " +
    "bigint boolean symbol undefined arguments eval"
  ).split(" "),
);

/** `user_accounts` -> `UserAccounts`; with `singular`, `UserAccount`. */
export function typeName(name: string, options: { readonly singular?: boolean } = {}): string {
  const words = wordsOf(name);
  const last = words.at(-1);
  if (options.singular && last) words[words.length - 1] = singularOf(last);
  return safe(words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join(""));
}

/** `user_accounts` -> `userAccounts`. */
export function variableName(name: string): string {
  const pascal = wordsOf(name)
    .map((word, index) => (index === 0 ? word : word.charAt(0).toUpperCase() + word.slice(1)))
    .join("");
  return safe(pascal.charAt(0).toLowerCase() + pascal.slice(1));
}

/** A key of an object, quoted where it must be. */
export function keyText(key: string): string {
  return isIdentifier(key) ? key : JSON.stringify(key);
}

/** Whether the name can be written as it is. */
export function isIdentifier(name: string): boolean {
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name);
}

/** Answers names, none twice: `User`, `User2`. */
export class UniqueNames {
  readonly #taken = new Set<string>();

  take(wanted: string): string {
    let name = wanted;
    for (let number = 2; this.#taken.has(name); number++) name = `${wanted}${number}`;
    this.#taken.add(name);
    return name;
  }
}

function wordsOf(name: string): string[] {
  return name.split(/[^\p{ID_Continue}]+|_+/u).filter((word) => word !== "");
}

// English, as far as rules go: `categories`, `boxes`, `users`; not `status` or `address`.
function singularOf(word: string): string {
  if (/[^aeiou]ies$/i.test(word)) return `${word.slice(0, -3)}y`;
  if (/(?:x|ch|sh|ss|zz)es$/i.test(word)) return word.slice(0, -2);
  if (/(?:ss|us|is)$/i.test(word) || !/s$/i.test(word)) return word;
  return word.slice(0, -1);
}

function safe(name: string): string {
  if (name === "") return "_";
  return RESERVED.has(name) || !isIdentifier(name) ? `_${name}` : name;
}
