/** A word, a text in quotes, or one of `{`, `}` and `;`. */
export interface IscToken {
  readonly line: number;
  readonly text: string;
  /** It stood in quotes. */
  readonly quoted?: boolean;
}

const TOKEN =
  /[ \t\r]+|#[^\n]*|(?<newline>\n)|(?<quoted>"(?:\\[^]|[^"\\])*(?:"|$))|(?<mark>[{};])|(?<word>[^ \t\r\n#"{};]+)/g;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b' };

/** Cuts a lease file of ISC dhcpd into tokens. Total: every character belongs to one. */
export function* iscTokens(text: string): Generator<IscToken> {
  let line = 1;
  for (const { 0: whole, groups = {} } of text.matchAll(TOKEN)) {
    const { newline, quoted, mark, word } = groups;
    if (newline !== undefined) line++;
    else if (quoted !== undefined) {
      yield { line, text: unescape(quoted), quoted: true };
      line += whole.split('\n').length - 1;
    } else if (mark !== undefined || word !== undefined) yield { line, text: whole };
  }
}

/** `"\001a\"b"`: octal bytes, and characters that stand for themselves. */
function unescape(quoted: string): string {
  const inside = quoted.replace(/^"/, '').replace(/"$/, '');
  return inside.replaceAll(/\\([0-7]{1,3}|[^])/g, (_, code: string) =>
    /^[0-7]/.test(code) ? String.fromCharCode(Number.parseInt(code, 8) & 255) : (ESCAPES[code] ?? code),
  );
}
