// The script's arguments: set once by the host, before the script is evaluated.

/**
 * What stood behind `--` on the command line.
 *
 * @example
 * ```ts
 * import { args } from "schemascript";
 *
 * console.log(`Hello, ${args[0] ?? "world"}`);
 * ```
 */
export let args: readonly string[] = Object.freeze([]);

/** For the host. `args` is a live binding: whoever imported it sees the new list. */
export function setArguments(list: readonly string[]): void {
  args = Object.freeze([...list]);
}
