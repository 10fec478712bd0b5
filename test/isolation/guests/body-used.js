// The body of a response is read once.
const response = new Response("text");
export const first = () => response.text();
export const second = () => (response.bodyUsed ? ["used"] : []);
