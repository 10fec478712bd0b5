// Types for the libraries that bring none, or that hide theirs from this way of resolving modules:
// what is used here.

declare module "whatwg-url" {
  const exports: { URL: typeof globalThis.URL; URLSearchParams: typeof globalThis.URLSearchParams };
  export const URL: typeof exports.URL;
  export const URLSearchParams: typeof exports.URLSearchParams;
}

declare module "event-target-shim" {
  type Listener = ((event: Event) => unknown) | null;
  export const Event: typeof globalThis.Event;
  export const EventTarget: typeof globalThis.EventTarget;
  export function getEventAttributeValue(target: object, type: string): Listener;
  export function setEventAttributeValue(target: object, type: string, listener: Listener): void;
  export function setErrorHandler(handler: (error: Error) => void): void;
  export function setWarningHandler(handler: () => void): void;
}

declare module "core-js/modules/*";
