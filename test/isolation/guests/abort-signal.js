// A signal that fires later, and one that has fired.
const controller = new AbortController();
const came = [];
controller.signal.addEventListener("abort", () => came.push("listener"));
export const first = (secret) => {
  controller.abort(secret);
  AbortSignal.timeout(1).addEventListener("abort", () => came.push(secret));
};
export const second = async () => {
  await new Promise((resolve) => setTimeout(resolve, 5));
  return controller.signal.aborted ? [...came, controller.signal.reason] : came;
};
