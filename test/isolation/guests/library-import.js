// A module that is imported while a call runs, and what was put on it.
export const first = async (secret) => {
  const { sql, SQL } = await import("drizzle-orm");
  sql.left = secret;
  SQL.prototype.left = secret;
};
export const second = async () => {
  const { sql, SQL } = await import("drizzle-orm");
  return [sql.left, SQL.prototype.left].filter((found) => found !== undefined);
};
