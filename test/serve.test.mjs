// `schemascript serve` from outside: its examples over real HTTP.
//
//     SCHEMASCRIPT_PROGRAM=build/bin/schemascript node --test test/serve.test.mjs
import "./serve/any-request.mjs";
import "./serve/connection.mjs";
import "./serve/notes.mjs";
import "./serve/notes-readme.mjs";
import "./serve/hono.mjs";
import "./serve/itty-router.mjs";
import "./serve/schema.mjs";
