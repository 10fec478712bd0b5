// JavaScript alone in the engine's own shell, without a database: `qjs --std` and the like.
import { play } from "../roles.mjs";

await play(["bench", "javascript"], {
  open: () => ({ now: () => performance.now() }),
  print: (text) => print(text),
});
