// A host over the JSON form of the wire: one that takes and answers text. Rows become objects here.
import type { Host, HostRows, HostStatement, HostStep, RunResult, Transport } from "./host.js";
import {
  decodeAnswer,
  encodeRequest,
  METHODS,
  type Answer,
  type Request,
  type Result,
  type StatementMethod,
} from "./protocol.js";
import { rowDecoder } from "./row-decoder.js";
import type { RowShape } from "./row-shape.js";

interface JsonStatement {
  readonly sql: string;
  /** Makes an object of a row, where the statement has a shape. */
  readonly decode: ((row: readonly unknown[]) => unknown) | undefined;
}

type Rows = readonly (readonly unknown[])[];
type Params = readonly unknown[];

export class JsonHost implements Host {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  statement(sql: string, rows?: RowShape | HostStatement): HostStatement {
    const made: JsonStatement = { sql, decode: rows && decoderOf(rows) };
    return made as unknown as HostStatement;
  }

  run(statement: HostStatement, params: Params, transaction: number): RunResult {
    return runResult(this.#execute("run", statement, params, transaction));
  }

  all(statement: HostStatement, params: Params, transaction: number): unknown[] {
    return shaped(statement, this.#execute("all", statement, params, transaction).rows as Rows);
  }

  values(statement: HostStatement, params: Params, transaction: number): unknown[][] {
    return this.#execute("values", statement, params, transaction).rows as unknown[][];
  }

  get(statement: HostStatement, params: Params, transaction: number): unknown {
    return resultOf("get", statement, this.#execute("get", statement, params, transaction));
  }

  batch(steps: readonly HostStep[], transaction: number): unknown[] {
    const { results = [] } = this.#call({
      method: "batch",
      steps: steps.map(([statement, method, params]) => ({
        method: METHODS[method],
        sql: sqlOf(statement),
        params,
      })),
      ...within(transaction),
    });
    return steps.map(([statement, method], index) =>
      resultOf(METHODS[method], statement, results[index] ?? {}),
    );
  }

  iterate(statement: HostStatement, params: Params, transaction: number): HostRows {
    return this.#piece(statement, this.#execute("iterate", statement, params, transaction));
  }

  fetch(statement: HostStatement, cursor: number): HostRows {
    return this.#piece(statement, this.#call({ method: "fetch", cursor }));
  }

  close(cursor: number): void {
    this.#call({ method: "close", cursor });
  }

  begin(behavior: string | undefined, parent: number): number {
    return this.#call({ method: "begin", behavior, ...within(parent) }).transaction ?? 0;
  }

  commit(transaction: number): void {
    this.#call({ method: "commit", ...within(transaction) });
  }

  rollback(transaction: number): void {
    this.#call({ method: "rollback", ...within(transaction) });
  }

  #execute(
    method: Request["method"],
    statement: HostStatement,
    params: Params,
    transaction: number,
  ): Answer {
    return this.#call({ method, sql: sqlOf(statement), params, ...within(transaction) });
  }

  #call(request: Request): Answer {
    return decodeAnswer(this.#transport(encodeRequest(request)));
  }

  // Where a row cannot be decoded, nobody hears of the cursor: it is closed.
  #piece(statement: HostStatement, { rows, cursor = 0 }: Answer): HostRows {
    try {
      return { rows: shaped(statement, rows as Rows), cursor };
    } catch (error) {
      if (cursor !== 0) this.close(cursor);
      throw error;
    }
  }
}

function decoderOf(rows: RowShape | HostStatement): JsonStatement["decode"] {
  return "columns" in rows ? rowDecoder(rows) : (rows as unknown as JsonStatement).decode;
}

function within(transaction: number): { readonly transaction?: number } {
  return transaction === 0 ? {} : { transaction };
}

function sqlOf(statement: HostStatement): string {
  return (statement as unknown as JsonStatement).sql;
}

function shaped(statement: HostStatement, rows: Rows): unknown[] {
  const { decode } = statement as unknown as JsonStatement;
  return decode ? rows.map(decode) : (rows as unknown[]);
}

function resultOf(method: StatementMethod, statement: HostStatement, result: Result): unknown {
  switch (method) {
    case "run":
      return runResult(result);
    case "all":
      return shaped(statement, result.rows as Rows);
    case "values":
      return result.rows;
    case "get":
      return result.rows === undefined
        ? undefined
        : shaped(statement, [result.rows as unknown[]])[0];
  }
}

function runResult({ rows, changes, lastInsertRowid }: Result): RunResult {
  return {
    rows: (rows as unknown[] | undefined) ?? [],
    changes: changes ?? 0,
    lastInsertRowid: lastInsertRowid ?? 0,
  };
}
