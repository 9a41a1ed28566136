/** What moves a cursor, changes colours, or turns the direction of writing. */
const UNSEEMLY = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;
const SIGN = '\u{fffd}';

/** What a server says, on a terminal: only lines and tabs are left of what is not to be seen. */
export function plainText(text: string): string {
  return text.replaceAll(UNSEEMLY, (character) => (character === '\n' || character === '\t' ? character : SIGN));
}

/** The same on one line, and not too long. */
export function plainLine(text: string, most = 200): string {
  const line = text.replaceAll(/\s+/g, ' ').trim().replaceAll(UNSEEMLY, SIGN);
  return line.length > most ? `${line.slice(0, most - 1)}…` : line;
}

/** JSON that was laid out, for a terminal: the same values, with what is not to be seen written as JSON can write it. */
export function plainJson(text: string): string {
  return text.replaceAll(UNSEEMLY, (character) => (character === '\n' ? character : escaped(character)));
}

/** Each UTF-16 unit by itself (RFC 8259 §7). */
function escaped(character: string): string {
  return character
    .split('')
    .map((unit) => String.raw`\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
}
