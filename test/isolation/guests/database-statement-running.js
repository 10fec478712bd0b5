// worker: nothing, since every call has a session of its own
// A statement of the cache in the middle of its rows: it begins anew.
const ask = (request) => JSON.parse(__host_sqlite_call(JSON.stringify(request)));
const sql = "select value from json_each('[1,2,3,4,5,6,7,8,9]')";
export const first = () => {
  ask({ method: "get", sql });
  ask({ method: "iterate", sql });
};
export const second = () => ask({ method: "get", sql }).rows.filter((value) => value !== 1);
