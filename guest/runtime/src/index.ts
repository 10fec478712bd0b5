// The globals of the guest's base snapshot. Evaluated once, at build time, as the module
// "schemascript:globals"; what stands here is what bare QuickJS lacks and people expect of a
// web-like runtime. The order is that of dependence. Nothing here may read the clock, draw random
// numbers or leave a timer behind while it is evaluated.
import "./native.js";
import "./language.js";
import "./encoding.js";
import "./exceptions.js";
import "./url.js";
import "./timers.js";
import "./events.js";
import "./streams.js";
import "./blob.js";
import "./form-data.js";
import "./headers.js";
import "./fetch.js";
import "./serve.js";
import "./console.js";
import "./describe-error.js";

// core-js leaves its registry behind.
delete (globalThis as { "__core-js_shared__"?: unknown })["__core-js_shared__"];
