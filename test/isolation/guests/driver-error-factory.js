// What makes the errors of queries.
const query = () => {
  try {
    __host_sqlite.run(__host_sqlite.statement("select nothing"), [], 0);
  } catch (error) {
    return error;
  }
};
export const first = (secret) => {
  __host_sqlite.setErrorFactory(() => secret);
  return query();
};
export const second = () => (query() instanceof Error ? [] : [query()]);
