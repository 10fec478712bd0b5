// What a run found, for people and for programs: a table, a picture, JSON.
import { median } from "./measure.mjs";

/** Three digits that mean something, and a unit in which they are short. */
export function shown(value, unit) {
  if (typeof value === "string") return value;
  const digits = (number) => (number >= 100 ? number.toFixed(0) : number.toPrecision(3));
  const thousands = (number) => digits(number).replace(/\B(?=(\d{3})+$)/g, ",");
  if (unit === "us" && value >= 10_000) return `${thousands(value / 1000)} ms`;
  if (unit === "us") return `${thousands(value)} µs`;
  return `${thousands(value)} ${unit}`.replace(" /s", "/s");
}

const valueOf = ({ values }) =>
  typeof values[0] === "string"
    ? values[0]
    : median(values.filter((value) => typeof value === "number"));

/** The names of all figures, in the order in which they were told. */
export const columnsOf = ({ results }) => [
  ...new Set(results.flatMap(({ figures }) => figures.map(({ name }) => name))),
];

/** Markdown, in columns of one width for a terminal. */
export function tableOf(run) {
  const columns = columnsOf(run);
  const rows = [["", ...columns]];
  for (const { label, figures } of run.results.filter(({ problem }) => !problem)) {
    const cells = columns.map((column) => {
      const figure = figures.find(({ name }) => name === column);
      return figure ? shown(valueOf(figure), figure.unit) : "";
    });
    rows.push([label, ...cells]);
  }
  const widths = rows[0].map((_, at) => Math.max(3, ...rows.map((row) => (row[at] ?? "").length)));
  const lineOf = (row) =>
    `| ${row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at]) : (cell ?? "").padStart(widths[at]))).join(" | ")} |`;
  const rule = `| ${widths.map((width, at) => (at === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`)).join(" | ")} |`;
  return [lineOf(rows[0]), rule, ...rows.slice(1).map(lineOf)].join("\n");
}

/** Lines about those that gave no answer, or a wrong one. */
export const problemsOf = ({ results }) =>
  results
    .filter(({ problem }) => problem)
    .map(({ label, problem }) => `failed: ${label}: ${problem.replaceAll("\n", " ")}`);

const escaped = (text) =>
  text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");

const BAR = { height: 18, gap: 6, left: 300, width: 460, right: 110 };

/** Bars for each figure, ours in another colour. Readable on light and on dark. */
export function chartOf(run, title) {
  const lines = [];
  let y = 30;
  for (const column of columnsOf(run)) {
    const bars = run.results.flatMap(({ id, label, figures }) => {
      const figure = figures.find(({ name }) => name === column);
      const value = figure && valueOf(figure);
      return typeof value === "number" ? [{ id, label, value, unit: figure.unit }] : [];
    });
    if (bars.length === 0) continue;
    const better = bars[0].unit === "/s" ? "more is better" : "less is better";
    y += 26;
    lines.push(`<text class="name" x="10" y="${y}">${escaped(column)} (${better})</text>`);
    y += 12;
    const most = Math.max(...bars.map(({ value }) => value));
    for (const { id, label, value, unit } of bars) {
      const width = Math.max(1, (value / most) * BAR.width);
      const middle = y + BAR.height / 2 + 4;
      lines.push(
        `<text class="label" x="${BAR.left - 8}" y="${middle}">${escaped(label)}</text>`,
        `<rect class="${id === "schemascript" ? "ours" : "bar"}" x="${BAR.left}" y="${y}" width="${width.toFixed(1)}" height="${BAR.height}"/>`,
        `<text class="value" x="${(BAR.left + width + 6).toFixed(1)}" y="${middle}">${escaped(shown(value, unit))}</text>`,
      );
      y += BAR.height + BAR.gap;
    }
  }
  const width = BAR.left + BAR.width + BAR.right;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y + 10}" width="${width}" height="${y + 10}" role="img">
<title>${escaped(title)}</title>
<style>
  text { font: 13px system-ui, sans-serif; fill: #24292f; }
  .title { font-size: 15px; font-weight: 600; }
  .name { font-weight: 600; }
  .label { text-anchor: end; }
  .bar { fill: #8c959f; }
  .ours { fill: #0969da; }
  .ground { fill: #ffffff; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .bar { fill: #6e7681; }
    .ours { fill: #4493f8; }
    .ground { fill: #0d1117; }
  }
</style>
<rect class="ground" width="100%" height="100%"/>
<text class="title" x="10" y="24">${escaped(title)}</text>
${lines.join("\n")}
</svg>
`;
}
