// DOMException, structuredClone, atob and btoa, from core-js.
import "core-js/modules/web.dom-exception.constructor.js";
import "core-js/modules/web.dom-exception.stack.js";
import "core-js/modules/web.dom-exception.to-string-tag.js";
import "core-js/modules/web.structured-clone.js";
import "core-js/modules/web.atob.js";
import "core-js/modules/web.btoa.js";
import { install } from "./install.js";

const { DOMException, structuredClone, atob, btoa } = globalThis;
install({ DOMException, structuredClone, atob, btoa });
