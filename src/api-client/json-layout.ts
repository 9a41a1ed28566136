const INDENT = 4;
/** Deeper, a layout is mostly blanks. */
const MOST_DEPTH = 64;
/** Longer, it is for a program, which needs no layout. */
const MOST_CHARACTERS = 64 * 1024 * 1024;
/** So many pieces are joined at a time: each by itself takes up ten times its room. */
const BATCH = 4_096;

/**
 * JSON on many lines, four blanks for each level. Every string and number stays as it was written, and every key where it was, which a
 * parsed value does not tell any more. Undefined when it is no JSON, or has more of it than anybody would read.
 */
export function layOutJson(text: string): string | undefined {
  if (!isJson(text)) return undefined;
  const out: string[] = [];
  let pieces: string[] = [];
  let [depth, length] = [0, 0];
  let previous = '';
  for (const token of tokensOf(text)) {
    const isEnd = token === '}' || token === ']';
    const isFirst = previous === '{' || previous === '[';
    if (isEnd) depth--;
    if (depth > MOST_DEPTH || length > MOST_CHARACTERS) return undefined;
    const breaks = isEnd ? !isFirst : isFirst || previous === ',';
    const piece = `${breaks ? `\n${' '.repeat(depth * INDENT)}` : ''}${token}${token === ':' ? ' ' : ''}`;
    if (token === '{' || token === '[') depth++;
    if (pieces.push(piece) === BATCH) {
      out.push(pieces.join(''));
      pieces = [];
    }
    length += piece.length;
    previous = token;
  }
  return [...out, ...pieces].join('');
}

/** Of what is known to be JSON (RFC 8259 §2). */
function* tokensOf(text: string): Generator<string> {
  const plain = /[{}[\],:]|[^\s{}[\],:"]+/y;
  for (let at = 0; at < text.length;) {
    const isString = text[at] === '"';
    plain.lastIndex = at;
    const token = isString ? text.slice(at, endOfString(text, at)) : (plain.exec(text)?.[0] ?? '');
    if (token !== '') yield token;
    at += Math.max(1, token.length);
  }
}

/** Behind the quote that ends it. Not by an expression: a string may be as long as a keyring. */
function endOfString(text: string, start: number): number {
  let at = text.indexOf('"', start + 1);
  while (at !== -1 && isEscaped(text, at)) at = text.indexOf('"', at + 1);
  return at === -1 ? text.length : at + 1;
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0;
  while (text[at - 1 - backslashes] === '\\') backslashes++;
  return backslashes % 2 === 1;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
