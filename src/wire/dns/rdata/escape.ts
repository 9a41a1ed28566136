import { TextError } from './text-error.ts';
import { showWord } from './words.ts';

const ESCAPE = /\\(\d{3}|[^\d]|)/gs;

/** `\DDD` is the octet of that number, `\X` is X (RFC 1035 §5.1). Throws TextError. */
export function unescape(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replaceAll(ESCAPE, (escape, what: string) => {
    if (what.length === 1) return what;
    const code = Number(what);
    if (what === '' || code > 255)
      throw new TextError('\\ and a character or three digits up to 255', showWord(escape));
    return String.fromCharCode(code);
  });
}

/** Octets as text between quotes. */
export function quote(octets: string): string {
  const escaped = octets.replaceAll(/["\\]/g, '\\$&').replaceAll(/[^\x20-\x7e]/g, decimalEscape);
  return `"${escaped}"`;
}

export function decimalEscape(octet: string): string {
  return `\\${String(octet.charCodeAt(0)).padStart(3, '0')}`;
}
