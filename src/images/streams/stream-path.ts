import { StreamError } from './stream-error.ts';
import { shown } from './stream-json.ts';

const LONGEST = 1024;
const SEGMENT = /^(?!\.{1,2}$)[A-Za-z0-9._+~@=,:-]+$/;
const SCHEME = /^[a-z][a-z0-9+.-]*:/i;

/** A path in a stream: relative to the stream's base, and never out of it. Throws StreamError. */
export function streamPath(value: unknown, where: string): string {
  if (typeof value !== 'string' || value === '' || value.length > LONGEST) {
    throw new StreamError(`${where}: expected a path of at most ${LONGEST} characters, found ${shown(value)}`);
  }
  if (SCHEME.test(value) || value.startsWith('/')) {
    throw new StreamError(`${where}: expected a path inside the stream, found ${shown(value)}`);
  }
  for (const segment of value.split('/')) {
    if (SEGMENT.test(segment)) continue;
    const expected = segment.startsWith('..') ? 'a path that does not climb' : 'letters, digits and ._+~@=,:-';
    throw new StreamError(`${where}: expected ${expected}, found ${shown(value)}`);
  }
  return value;
}
