// Attack: transactions and savepoints inside of each other, as many as there may be and more.
// Ends: call answered "limit-exceeded"
const ask = (request) => JSON.parse(__host_sqlite_call(JSON.stringify(request)));
export const attack = () => {
  let { transaction } = ask({ method: "begin" });
  for (;;) {
    const answer = ask({ method: "begin", transaction });
    if (answer.error) return answer.error.code;
    transaction = answer.transaction;
  }
};
