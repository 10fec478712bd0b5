// The page: three files that are part of the bundle. What differs between two visitors is the theme of their cookie alone.
import { readCookie, versioned } from "./http";
import icon from "./page/icon.svg" with { type: "text" };
import html from "./page/index.html" with { type: "text" };
import script from "./page/page.js" with { type: "text" };
import style from "./page/page.css" with { type: "text" };

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];
export const isTheme = (text: unknown): text is Theme => THEMES.includes(text as Theme);

const SECURITY = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

export function themeOf(request: Request): Theme {
  const theme = readCookie(request, "theme");
  return isTheme(theme) ? theme : "system";
}

export function page(request: Request): Response {
  const theme = themeOf(request);
  const text = html.replace('data-theme="system"', `data-theme="${theme}"`);
  const headers = { ...SECURITY, "content-type": "text/html; charset=utf-8", vary: "cookie" };
  return versioned(request, etags.html(theme), () => new Response(text, { headers }));
}

/** A file that is the same for all. */
const file = (text: string, type: string) => {
  const etag = `"${hash(text)}"`;
  return ({ request }: { request: Request }) =>
    versioned(
      request,
      etag,
      () => new Response(text, { headers: { ...SECURITY, "content-type": type } }),
    );
};

// FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv): it has to differ when the text does, and keeps no secret.
function hash(text: string): string {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  return `${(value >>> 0).toString(16)}-${text.length.toString(16)}`;
}

const pageHash = hash(html);
const etags = { html: (theme: Theme) => `"${pageHash}-${theme}"` };

export const pageStyle = file(style, "text/css; charset=utf-8");
export const pageScript = file(script, "text/javascript; charset=utf-8");
export const pageIcon = file(icon, "image/svg+xml");
