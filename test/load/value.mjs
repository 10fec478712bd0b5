/** What an entry of a database holds: another text in each of them, of many lengths. */
export const valueOf = (name, number) => `${name}:${number}:${"x".repeat(number % 200)}`;
