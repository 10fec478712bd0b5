// The page of examples/notes-api in a browser, by mouse and keyboard.
//
//     SCHEMASCRIPT_PROGRAM=build/bin/schemascript node --test test/browser.test.mjs
//
// CHROMIUM names the browser's program; with SCREENSHOTS=folder pictures are kept there. Without Chromium nothing is tested, and
// that is said; with CI set, it is a failure.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import { Browser, findChromium } from "./browser/chromium.mjs";
import { Server } from "./serve/server.mjs";

const chromium = findChromium();
const missing = "there is no Chromium: apt-get install chromium, or set CHROMIUM to its program";
const skip = chromium ? false : missing;
test("there is a browser", { skip: process.env.CI ? false : skip }, () =>
  assert.ok(chromium, missing),
);

describe("the notes page", { skip }, () => {
  let server;
  let browser;
  let page;
  let folder;
  let shots;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "browser-"));
    shots = resolve(process.env.SCREENSHOTS ?? folder);
    mkdirSync(shots, { recursive: true });
    server = await Server.start("examples/notes-api/app.ts");
    browser = Browser.start(chromium);
    page = await browser.open(`${server.url}/`);
  });
  after(async () => {
    await browser?.stop();
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const titles = () =>
    page.evaluate(`[...document.querySelectorAll(".note h2")].map((title) => title.innerText)`);
  const counted = (text) => page.until(`document.querySelector("#count").innerText === "${text}"`);
  const isClosed = () => page.until(`!document.querySelector("#editor").open`);
  const isOpen = () => page.until(`document.querySelector("#editor").open`);
  const add = (json) => server.fetch("/notes", { method: "POST", json });
  const open = (title) =>
    page.evaluate(
      `[...document.querySelectorAll(".note h2 button")].find(({ innerText }) => innerText === ${JSON.stringify(title)}).click()`,
    );
  const picture = (name) => page.screenshot(join(shots, `${name}.png`));
  /** The problems since the last time, which are no others than these. */
  const assertProblems = (...expected) => {
    const problems = page.problems.splice(0);
    assert.equal(problems.length, expected.length, problems.join("\n"));
    for (const [index, pattern] of expected.entries()) assert.match(problems[index], pattern);
  };

  test("is empty, and a note is added with the keyboard alone", async () => {
    await counted("0 notes");
    await page.press("n");
    await isOpen();
    assert.equal(await page.evaluate("document.activeElement.id"), "title");
    await page.type("Groceries");
    await page.press("Tab");
    await page.type("Milk, bread\nand a very long list of other things");
    await page.press("Tab");
    await page.type("home  weekly");
    await page.press("Enter", "control");
    await isClosed();
    await counted("1 note");
    assert.deepEqual(await titles(), ["Groceries"]);
    const { notes } = (await server.fetch("/notes")).body;
    assert.deepEqual(notes[0].tags, ["home", "weekly"]);
    assert.equal(await page.text("#toast-text"), "The note was added.");
    assertProblems();
  });

  test("a note is added with the mouse; what it holds stays text", async () => {
    await page.click("#new");
    await isOpen();
    await page.fill("#title", "<img src=x onerror=alert(1)> & co");
    await page.fill("#body", "<script>document.title = 'broken'</script> markup");
    await page.click("#pinned");
    await page.click('#note button[type="submit"]');
    await isClosed();
    await counted("2 notes");
    assert.deepEqual(await titles(), ["<img src=x onerror=alert(1)> & co", "Groceries"]);
    assert.equal(await page.evaluate("document.title"), "Notes");
    assert.equal(
      await page.evaluate(`document.querySelectorAll(".note img, .note script").length`),
      0,
    );
    assert.equal(await page.text(".note .pin"), "Pinned");
    assertProblems();
  });

  test("what cannot be saved is told beside its field", async () => {
    await page.click("#new");
    await isOpen();
    await page.fill("#title", " ");
    await page.fill("#tags", "Big ok");
    await page.click('#note button[type="submit"]');
    await page.until(`!document.querySelector("#title-error").hidden`);
    assert.match(await page.text("#title-error"), /at least 1 character/);
    assert.match(await page.text("#tags-error"), /must match/);
    assert.equal(await page.evaluate("document.activeElement.id"), "title");
    assert.equal(await page.evaluate(`document.querySelector("#title").ariaInvalid`), "true");
    assert.equal(await page.evaluate(`document.querySelector("#body").ariaInvalid`), "false");
    await picture("problem");
    await page.press("Escape");
    await isClosed();
    await counted("2 notes");
    assertProblems(/status of 422/);
  });

  test("a search finds, marks and forgets", async () => {
    await page.press("/");
    assert.equal(await page.evaluate("document.activeElement.id"), "search");
    await page.type("bread");
    await counted("1 note found");
    assert.deepEqual(await titles(), ["Groceries"]);
    assert.equal(await page.text(".note mark"), "bread");
    await page.type('"*(');
    await counted("0 notes found");
    await page.type("");
    await counted("2 notes");
    await page.choose("#tag", "weekly");
    await counted("1 note");
    await page.choose("#tag", "");
    await counted("2 notes");
    assertProblems();
  });

  test("a note is edited; a change by somebody else is not overwritten", async () => {
    await page.evaluate("document.activeElement.blur()");
    await page.click('.note[data-id="1"] h2 button');
    await isOpen();
    assert.equal(await page.evaluate(`document.querySelector("#tags").value`), "home weekly");
    await page.fill("#title", "Groceries for two");
    await page.press("Enter");
    await isClosed();
    await page.until(`document.querySelector("#toast-text").innerText === "The note was saved."`);
    await page.until(
      `document.querySelector('.note[data-id="1"] h2').innerText === "Groceries for two"`,
    );
    assertProblems();

    await open("Groceries for two");
    await isOpen();
    await server.fetch("/notes/1", { method: "PATCH", json: { title: "By somebody else" } });
    await page.fill("#title", "Mine");
    await page.press("Enter");
    await page.until(`!document.querySelector("#problem").hidden`);
    assert.equal(await page.text("#problem"), "It was changed meanwhile; read it again.");
    await page.click("#cancel");
    await isClosed();
    assert.equal((await server.fetch("/notes/1")).body.title, "By somebody else");
    assertProblems(/status of 412/);
  });

  test("a note is deleted, and comes back: at once, or out of the trash", async () => {
    await page.reload();
    await counted("2 notes");
    const remove = async () => {
      await open("By somebody else");
      await isOpen();
      await page.click("#delete");
      await isClosed();
      await counted("1 note");
    };
    await remove();
    assert.equal(await page.text("#toast-text"), "The note is in the trash.");
    await page.click("#undo");
    await counted("2 notes");
    await remove();
    await page.choose("#where", "trash");
    await counted("1 note in the trash");
    await open("By somebody else");
    await counted("0 notes in the trash");
    await page.choose("#where", "live");
    await counted("2 notes");
    assertProblems();
  });

  test("the theme is kept", async () => {
    const ground = () => page.evaluate("getComputedStyle(document.body).backgroundColor");
    await page.prefer("light");
    const light = await ground();
    await page.prefer("dark");
    const dark = await ground();
    assert.notEqual(light, dark);
    await page.choose("#theme", "light");
    await page.until("document.documentElement.dataset.theme === 'light'");
    assert.equal(await ground(), light);
    await page.until(`(await (await fetch("/preferences")).json()).theme === "light"`);
    await page.reload();
    assert.equal(await ground(), light);
    assert.equal(await page.evaluate(`document.querySelector("#theme").value`), "light");
    await page.choose("#theme", "system");
    await page.until("document.documentElement.dataset.theme === 'system'");
    assertProblems();
  });

  test("a file is imported, and a long list is shown in parts", async () => {
    const file = join(folder, "notes.ndjson");
    const lines = Array.from({ length: 24 }, (_, n) =>
      JSON.stringify({
        ...{
          title: `Imported ${n + 1}`,
          body: "A line of text.\n".repeat(1 + (n % 4)),
          tags: [`batch-${n % 3}`],
        },
      }),
    );
    writeFileSync(file, `${lines.join("\n")}\nno note\n`);
    await page.upload("#import", file);
    await page.until(
      `document.querySelector("#toast-text").innerText.startsWith("24 notes were imported, 1")`,
    );
    await counted("20 or more notes");
    await page.click("#more");
    await counted("26 notes");
    assert.equal(await page.evaluate(`document.querySelector("#more").hidden`), true);
    assert.equal(new Set(await titles()).size, 26);
    // Who went on with the keyboard goes on there.
    assert.equal(
      await page.evaluate(
        `document.activeElement.closest("li") === document.querySelectorAll(".note")[20]`,
      ),
      true,
    );
    assertProblems();
  });

  test("everything that can be used has a name", async () => {
    await add({ title: "Named", tags: ["a"] });
    await page.reload();
    await counted("20 or more notes");
    const used = [
      "button",
      "textbox",
      "searchbox",
      "combobox",
      "checkbox",
      "link",
      "image",
      "dialog",
    ];
    const assertNames = async () => {
      const nodes = await page.accessible();
      const nameless = nodes.filter(({ role, name }) => used.includes(role) && name.trim() === "");
      assert.deepEqual(nameless, []);
      return nodes;
    };
    const nodes = await assertNames();
    for (const role of ["searchbox", "combobox", "button", "main", "search", "heading"]) {
      assert.ok(
        nodes.some((node) => node.role === role),
        role,
      );
    }
    await page.click("#new");
    await isOpen();
    const inside = await assertNames();
    assert.ok(inside.some(({ role, name }) => role === "dialog" && name === "New note"));
    // What is behind the dialog cannot be reached.
    for (let presses = 0; presses < 12; ++presses) {
      await page.press("Tab");
      const isInside = await page.evaluate(
        `document.activeElement === document.body || document.querySelector("#editor").contains(document.activeElement)`,
      );
      assert.ok(isInside, await page.evaluate("document.activeElement.outerHTML"));
    }
    await page.press("Escape");
    await isClosed();
    assertProblems();
  });

  test("texts can be read: their colours differ by 4.5 to 1, and they fit into narrow windows", async () => {
    // WCAG 2.2, 1.4.3: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio
    const contrasts = `(() => {
      const numbers = (colour) => colour.match(/[0-9.]+/g).map(Number);
      const light = (colour) => {
        const [r, g, b] = numbers(colour).map((part) => part / 255)
          .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const ground = (element) => {
        const own = getComputedStyle(element).backgroundColor;
        return numbers(own)[3] === 0 ? ground(element.parentElement) : own;
      };
      const all = {};
      for (const selector of ["h1", "label", "#count", "#new", ".note h2 button", ".note p", ".note time", ".tag", "footer a", "footer kbd"]) {
        const element = document.querySelector(selector);
        const [a, b] = [light(getComputedStyle(element).color), light(ground(element))].sort((x, y) => y - x);
        all[selector] = (a + 0.05) / (b + 0.05);
      }
      return all;
    })()`;
    for (const scheme of ["light", "dark"]) {
      await page.prefer(scheme);
      for (const [selector, ratio] of Object.entries(await page.evaluate(contrasts))) {
        assert.ok(ratio >= 4.5, `${selector} in ${scheme}: ${ratio}`);
      }
    }
    for (const width of [320, 480, 768, 1200, 1920]) {
      await page.resize(width, 800);
      const overflow = `document.documentElement.scrollWidth - document.documentElement.clientWidth`;
      assert.equal(await page.evaluate(overflow), 0, `at ${width}`);
      await page.evaluate(`document.querySelector(".note h2 button").click()`);
      await isOpen();
      const edges = await page.evaluate(`(() => {
        const { left, right } = document.querySelector("#editor").getBoundingClientRect();
        const isInside = (element) => element.getBoundingClientRect().right <= right;
        const all = [...document.querySelectorAll("#editor button, #editor input, #editor label")];
        return left >= 0 && right <= innerWidth && all.every(isInside);
      })()`);
      assert.ok(edges, `the editor at ${width}`);
      await page.press("Escape");
      await isClosed();
    }
    assertProblems();
  });

  test("pictures of it", async () => {
    await page.evaluate("scrollTo(0, 0); document.activeElement.blur()");
    for (const scheme of ["light", "dark"]) {
      await page.prefer(scheme);
      await page.resize(1200, 800);
      await picture(`${scheme}-wide`);
      await page.resize(360, 740);
      await picture(`${scheme}-narrow`);
      await page.evaluate(`document.querySelector(".note h2 button").click()`);
      await isOpen();
      await picture(`${scheme}-narrow-editor`);
      await page.resize(1200, 800);
      await picture(`${scheme}-wide-editor`);
      await page.press("Escape");
      await isClosed();
    }
    assertProblems();
  });
});
