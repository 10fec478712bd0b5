// The classes of the runtime that are not the engine's.
const classes = [
  URL,
  URLSearchParams,
  Headers,
  Request,
  Response,
  Blob,
  FormData,
  AbortController,
  AbortSignal,
  EventTarget,
  Event,
  ReadableStream,
  TextEncoder,
  TextDecoder,
  DOMException,
];
export const first = (secret) => {
  for (const one of classes) {
    one.left = secret;
    one.prototype.left = secret;
  }
};
export const second = () =>
  classes
    .filter((one) => one.left !== undefined || one.prototype.left !== undefined)
    .map((one) => one.name);
