// Chromium without a window, driven through the DevTools protocol (https://chromedevtools.github.io/devtools-protocol) over a pipe:
// messages of JSON that end with NUL. No package is needed for that.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

const SECONDS_MAX = 60;

/** The program: $CHROMIUM, or the first of the usual names on the PATH; undefined where there is none. */
export function findChromium() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  for (const name of ["chromium", "chromium-headless-shell", "google-chrome", "chrome"]) {
    for (const folder of process.env.PATH.split(delimiter)) {
      try {
        accessSync(join(folder, name), constants.X_OK);
        return join(folder, name);
      } catch {
        // The next one.
      }
    }
  }
  return undefined;
}

export class Browser {
  #child;
  #profile = mkdtempSync(join(tmpdir(), "chromium-"));
  #pending = new Map();
  #listeners = new Map();
  #lastId = 0;
  #errors = "";

  static start(program) {
    const browser = new Browser();
    const words = [
      "--headless=new",
      "--remote-debugging-pipe",
      `--user-data-dir=${browser.#profile}`,
    ];
    words.push(
      "--no-first-run",
      "--disable-gpu",
      "--disable-dev-shm-usage",
      "--disable-extensions",
    );
    words.push("--disable-background-networking", "--disable-component-update", "--lang=en-GB");
    // Its own sandbox does not start for root, and the only page is ours.
    if (process.getuid() === 0) words.push("--no-sandbox");
    const stdio = ["ignore", "ignore", "pipe", "pipe", "pipe"];
    browser.#child = spawn(program, [...words, "about:blank"], { stdio });
    browser.#child.stderr.setEncoding("utf8").on("data", (text) => (browser.#errors += text));
    browser.#child.on("close", (status) => browser.#fail(`Chromium ended with ${status}`));
    browser.#child.stdio[3].on("error", () => {}); // Told by its end.
    browser.#read(browser.#child.stdio[4]);
    return browser;
  }

  #fail(why) {
    for (const { reject } of this.#pending.values()) reject(new Error(`${why}:\n${this.#errors}`));
    this.#pending.clear();
  }

  #read(pipe) {
    let rest = "";
    pipe.setEncoding("utf8").on("data", (text) => {
      const messages = (rest + text).split("\0");
      rest = messages.pop();
      for (const message of messages) this.#take(JSON.parse(message));
    });
  }

  #take({ id, sessionId, result, error, method, params }) {
    if (id === undefined) {
      this.#listeners.get(sessionId)?.(method, params);
      return;
    }
    const { resolve, reject, what, timer } = this.#pending.get(id);
    this.#pending.delete(id);
    clearTimeout(timer);
    if (error) reject(new Error(`${what}: ${error.message}`));
    else resolve(result);
  }

  send(method, params = {}, sessionId = undefined) {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(new Error(`${method} takes too long:\n${this.#errors}`));
      }, SECONDS_MAX * 1000);
      this.#pending.set(id, { resolve, reject, what: method, timer });
      this.#child.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    });
  }

  async open(url) {
    const { targetId } = await this.send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await this.send("Target.attachToTarget", { targetId, flatten: true });
    const page = new Page((method, params) => this.send(method, params, sessionId));
    this.#listeners.set(sessionId, (method, params) => page.take(method, params));
    await page.begin(url);
    return page;
  }

  async stop() {
    const ended = once(this.#child, "close");
    await this.send("Browser.close").catch(() => {});
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 5000);
    await ended;
    clearTimeout(timer);
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

const KEYS = {
  Enter: { code: "Enter", windowsVirtualKeyCode: 13, text: "\r" },
  Escape: { code: "Escape", windowsVirtualKeyCode: 27 },
  Tab: { code: "Tab", windowsVirtualKeyCode: 9 },
};
const MODIFIERS = { control: 2, shift: 8 };

export class Page {
  #send;
  /** What the console had to say that is no good news, and what was thrown. */
  problems = [];

  constructor(send) {
    this.#send = send;
  }

  take(method, params) {
    if (method === "Runtime.exceptionThrown") {
      const { exception, text } = params.exceptionDetails;
      this.problems.push(exception?.description ?? text);
    } else if (
      method === "Runtime.consoleAPICalled" &&
      ["error", "warning", "assert"].includes(params.type)
    ) {
      this.problems.push(
        params.args.map(({ value, description }) => value ?? description).join(" "),
      );
    } else if (method === "Log.entryAdded" && ["error", "warning"].includes(params.entry.level)) {
      this.problems.push(params.entry.text);
    }
  }

  async begin(url) {
    for (const domain of ["Page", "Runtime", "Log", "DOM", "Accessibility"])
      await this.#send(`${domain}.enable`);
    await this.resize(1200, 800);
    await this.#send("Page.navigate", { url });
    await this.until(
      `location.href === ${JSON.stringify(url)} && document.readyState === "complete"`,
    );
  }

  async reload() {
    await this.evaluate("window.isOld = true");
    await this.#send("Page.reload");
    await this.until('window.isOld === undefined && document.readyState === "complete"');
  }

  /** What an expression, or a promise of it, is. */
  async evaluate(expression) {
    const { result, exceptionDetails } = await this.#send("Runtime.evaluate", {
      ...{ expression, awaitPromise: true, returnByValue: true },
    });
    assert.equal(exceptionDetails, undefined, exceptionDetails?.exception?.description);
    return result.value;
  }

  /** Waits until an expression, which may `await`, is true. */
  async until(expression) {
    const end = Date.now() + SECONDS_MAX * 1000;
    // A page that is being left cannot answer.
    while (!(await this.evaluate(`(async () => Boolean(${expression}))()`).catch(() => false))) {
      assert.ok(Date.now() < end, `never so: ${expression}\n${this.problems.join("\n")}`);
      await new Promise((done) => setTimeout(done, 20));
    }
  }

  text(selector) {
    return this.evaluate(`document.querySelector(${JSON.stringify(selector)})?.innerText`);
  }

  /** With the mouse, where the element is. */
  async click(selector) {
    const { x, y } = await this.evaluate(`(() => {
      const element = document.querySelector(${JSON.stringify(selector)});
      element.scrollIntoView({ block: "center" });
      const { x, y, width, height } = element.getBoundingClientRect();
      return { x: x + width / 2, y: y + height / 2 };
    })()`);
    for (const type of ["mousePressed", "mouseReleased"]) {
      await this.#send("Input.dispatchMouseEvent", { type, x, y, button: "left", clickCount: 1 });
    }
  }

  /** A key of the keyboard, by its name or its character. */
  async press(key, ...modifiers) {
    const own = KEYS[key] ?? { text: key };
    const bits = modifiers.reduce((all, name) => all | MODIFIERS[name], 0);
    const { text, ...rest } = own;
    const isTyped = text !== undefined && (bits & MODIFIERS.control) === 0;
    const event = { key, modifiers: bits, ...rest };
    await this.#send("Input.dispatchKeyEvent", {
      ...{ type: isTyped ? "keyDown" : "rawKeyDown", ...event, ...(isTyped ? { text } : {}) },
    });
    await this.#send("Input.dispatchKeyEvent", { type: "keyUp", ...event });
  }

  /** Into what has the focus, in place of what is there. */
  async type(text) {
    await this.evaluate("document.activeElement.select()");
    if (text === "")
      await this.#send("Input.dispatchKeyEvent", {
        type: "rawKeyDown",
        key: "Delete",
        windowsVirtualKeyCode: 46,
      });
    else await this.#send("Input.insertText", { text });
  }

  async fill(selector, text) {
    await this.click(selector);
    await this.type(text);
  }

  async choose(selector, value) {
    await this.evaluate(`(() => {
      const select = document.querySelector(${JSON.stringify(selector)});
      select.value = ${JSON.stringify(value)};
      select.dispatchEvent(new Event("change", { bubbles: true }));
    })()`);
  }

  async upload(selector, file) {
    const { root } = await this.#send("DOM.getDocument");
    const { nodeId } = await this.#send("DOM.querySelector", { nodeId: root.nodeId, selector });
    await this.#send("DOM.setFileInputFiles", { nodeId, files: [file] });
  }

  /** Roles and names as a screen reader has them. */
  async accessible() {
    const { nodes } = await this.#send("Accessibility.getFullAXTree");
    return nodes
      .filter(({ ignored }) => !ignored)
      .map(({ role, name }) => ({ role: role?.value, name: name?.value ?? "" }));
  }

  resize(width, height) {
    return this.#send("Emulation.setDeviceMetricsOverride", {
      width,
      height,
      deviceScaleFactor: 1,
      mobile: false,
    });
  }

  /** What the system prefers: "light" or "dark". */
  prefer(scheme) {
    const features = [{ name: "prefers-color-scheme", value: scheme }];
    return this.#send("Emulation.setEmulatedMedia", { features });
  }

  /** Of what can be seen, as a PNG file. */
  async screenshot(file) {
    const { data } = await this.#send("Page.captureScreenshot", { format: "png" });
    writeFileSync(file, Buffer.from(data, "base64"));
  }
}
