// A JavaScript module that validates rows and needs nothing beside it: the validator's own text
// (checker-text.ts), and the rules of each table.
import type { TableShape } from "../registry.js";
import { CHECKER } from "./checker-text.js";
import { UniqueNames, variableName } from "./names.js";
import { isIn, isOptionalOnInsert, rowRule } from "./rules.js";

/** The module. Each table is an export with `validate` and `~standard`. */
export function validatorModule(tables: readonly TableShape[]): string {
  const names = new UniqueNames();
  names.take("table");
  const parts = tables.map((shape) => {
    const name = names.take(variableName(shape.name));
    const fields = shape.columns.map((column, index) => {
      const { optional: _, ...rule } = rowRule(shape, "select").fields[index] ?? {};
      return JSON.stringify({
        ...rule,
        ...(isOptionalOnInsert(column) && { optional: true }),
        ...(!isIn(column, "insert") && { generated: true }),
      });
    });
    const list = fields.map((field) => `  ${field},\n`).join("");
    return `/** Rows of ${JSON.stringify(shape.name).replaceAll("*/", "*\\/")}. */\nexport const ${name} = table(${JSON.stringify(shape.name)}, [\n${list}]);`;
  });
  return (
    [HEAD, `const table = (() => {\n${CHECKER}\n${TABLE}\nreturn table;\n})();`, ...parts].join(
      "\n\n",
    ) + "\n"
  );
}

const HEAD = `// Made by SchemaScript from a schema; changes belong there. It depends on nothing.
//
//   const { value, issues } = users.validate(row);  // Also: (row, { kind: "update", form: "json" })
//
// Each table is a Standard Schema as well: users["~standard"].`;

const TABLE = `function table(name, fields) {
  const insert = fields.filter((field) => !field.generated);
  const kinds = {
    insert: insert.map((field) => ({ ...field, optional: Boolean(field.optional) })),
    update: insert.map((field) => ({ ...field, optional: true })),
    select: fields.map((field) => ({ ...field, optional: false })),
  };
  const validate = (input, { kind = "insert", form = "value" } = {}) =>
    checkRow({ table: name, kind, fields: kinds[kind] }, input, form);
  return Object.freeze({
    validate,
    "~standard": Object.freeze({
      version: 1,
      vendor: "schemascript",
      validate: (input) => validate(input),
    }),
  });
}`;
