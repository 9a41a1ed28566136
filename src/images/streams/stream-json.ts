import { StreamError } from './stream-error.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

/** What a message shows of a value that came from outside. */
const MOST_SHOWN = 60;

/** Real streams are nine levels deep, and 10 MB of them have some 400,000 values; what is parsed must fit into a thread's heap. */
const MOST_LEVELS = 32;
const MOST_VALUES = 3_000_000;

/**
 * Parses a stream's JSON. A key that stands twice in one object is refused: readers differ in which of the two they take, so
 * that what one program checked is not what another one fetches. So is what takes up a thousand times the room of its text.
 */
export function parseStreamJson(text: string, file: string): JsonObject {
  const twice = repeatedKey(text, file);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new StreamError(`${file}: expected JSON, found ${shown(error instanceof Error ? error.message : error)}`);
  }
  if (twice !== undefined) throw new StreamError(`${file}: expected each key once, found ${shown(twice)} twice`);
  return objectOf(value, file);
}

/** When a file says that it was written: RFC 9110's date, or close to it. Unix milliseconds; undefined when it does not say. */
export function updatedAt({ updated }: JsonObject): number | undefined {
  const at = typeof updated === 'string' ? Date.parse(updated) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
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
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/**
 * The first key that stands twice in one object. One pass, before anything is made of the text, which may be no JSON at all; keys
 * that are written alike are alike. Throws StreamError when it is too deep or of too many values.
 */
function repeatedKey(text: string, file: string): string | undefined {
  const open: Set<string>[] = [];
  const none = new Set<string>();
  let values = 0;
  let twice: string | undefined;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === COMMA) values++;
    else if (code === OPEN || code === OPEN_LIST) {
      values++;
      if (open.push(code === OPEN ? new Set() : none) > MOST_LEVELS) {
        throw new StreamError(`${file}: expected at most ${MOST_LEVELS} levels, found more`);
      }
    } else if (code === CLOSE || code === CLOSE_LIST) open.pop();
    else if (code === QUOTE) {
      const end = endOfString(text, i);
      if (text.charCodeAt(skipBlanks(text, end + 1)) === COLON) {
        const keys = open.at(-1) ?? none;
        const key = plainKey(text.slice(i + 1, end));
        if (keys.has(key)) twice ??= key;
        keys.add(key);
      }
      i = end;
    }
    if (values > MOST_VALUES) throw new StreamError(`${file}: expected at most ${MOST_VALUES} values, found more`);
  }
  return twice;
}

function plainKey(written: string): string {
  if (!written.includes('\\')) return written;
  try {
    return String(JSON.parse(`"${written}"`));
  } catch {
    return written;
  }
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
