import { StreamError } from './stream-error.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

/** What a message shows of a value that came from outside. */
const MOST_SHOWN = 60;

/**
 * Parses a stream's JSON. A key that stands twice in one object is refused: readers differ in which of the two they take, so
 * that what one program checked is not what another one fetches.
 */
export function parseStreamJson(text: string, file: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new StreamError(`${file}: expected JSON, found ${shown(error instanceof Error ? error.message : error)}`);
  }
  const twice = repeatedKey(text);
  if (twice !== undefined) throw new StreamError(`${file}: expected each key once, found ${shown(twice)} twice`);
  return objectOf(value, file);
}

export function objectOf(value: unknown, where: string): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw new StreamError(`${where}: expected a mapping, found ${kindOf(value)}`);
}

/** Text as a message can show it: one line, not too long. */
export function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  const line = text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ');
  return line.length > MOST_SHOWN ? `${line.slice(0, MOST_SHOWN - 1)}…` : line;
}

export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'a mapping' : shown(value);
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/** The first key that stands twice in one object of valid JSON. One pass; keys that are written alike are alike. */
function repeatedKey(text: string): string | undefined {
  const open: Set<string>[] = [];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === OPEN) open.push(new Set());
    else if (code === CLOSE) open.pop();
    else if (code === QUOTE) {
      const end = endOfString(text, i);
      const next = skipBlanks(text, end + 1);
      if (text.charCodeAt(next) === COLON) {
        const key = text.slice(i + 1, end);
        const keys = open.at(-1);
        const plain = key.includes('\\') ? String(JSON.parse(`"${key}"`)) : key;
        if (keys?.has(plain)) return plain;
        keys?.add(plain);
      }
      i = end;
    }
  }
  return undefined;
}

function endOfString(text: string, start: number): number {
  let i = start + 1;
  while (i < text.length && text.charCodeAt(i) !== QUOTE) i += text.charCodeAt(i) === BACKSLASH ? 2 : 1;
  return i;
}

function skipBlanks(text: string, start: number): number {
  let i = start;
  while (text.charCodeAt(i) <= 0x20) i++;
  return i;
}
