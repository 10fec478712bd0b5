// What the tests use of sql.js, which comes without types.
declare module "sql.js" {
  export interface Statement {
    bind(params: unknown[]): boolean;
    step(): boolean;
    get(params: null, config: { useBigInt: boolean }): unknown[];
    getColumnNames(): string[];
    free(): boolean;
  }
  export interface Sqlite {
    prepare(sql: string): Statement;
    run(sql: string): unknown;
    exec(sql: string): { values: unknown[][] }[];
    getRowsModified(): number;
  }
  const init: () => Promise<{ Database: new () => Sqlite }>;
  export default init;
}
