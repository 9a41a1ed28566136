import { parseHttpDate } from './http-date.ts';

/** What tells one content of a path from another. */
export interface Validators {
  /** A strong one, with its quotes. */
  readonly etag: string;
  /** Unix time in milliseconds, whole seconds. */
  readonly lastModified: number;
}

/** The headers of a request that are conditions. */
export interface Conditions {
  readonly 'if-match'?: string | undefined;
  readonly 'if-none-match'?: string | undefined;
  readonly 'if-modified-since'?: string | undefined;
  readonly 'if-unmodified-since'?: string | undefined;
}

export type Verdict = 'send' | 'not modified' | 'failed';

/** RFC 9110 §13.2.2: the conditions of a GET or HEAD, in the order they count. Dates that are none are ignored. */
export function checkPreconditions(headers: Conditions, found: Validators): Verdict {
  const match = headers['if-match'];
  if (match !== undefined) {
    // §13.1.1: strong comparison
    if (!listsTag(match, found.etag, 'strong')) return 'failed';
  } else if (isAfter(found.lastModified, headers['if-unmodified-since'])) {
    return 'failed';
  }
  const noneMatch = headers['if-none-match'];
  // §13.1.2: weak comparison; If-Modified-Since is then ignored
  if (noneMatch !== undefined) return listsTag(noneMatch, found.etag, 'weak') ? 'not modified' : 'send';
  const since = headers['if-modified-since'];
  return since !== undefined && parseHttpDate(since) !== undefined && !isAfter(found.lastModified, since)
    ? 'not modified'
    : 'send';
}

/**
 * Whether the Range header counts (RFC 9110 §13.1.5): the same strong tag, or exactly the same date. A date is a strong
 * validator only when the file could not have changed twice in that second (§8.8.2.2). `now`: Unix milliseconds.
 */
export function ifRangeHolds(condition: string | undefined, found: Validators, now: number): boolean {
  if (condition === undefined) return true;
  if (condition.includes('"')) return condition === found.etag;
  return parseHttpDate(condition) === found.lastModified && now - found.lastModified >= 2000;
}

function isAfter(lastModified: number, date: string | undefined): boolean {
  const time = date === undefined ? undefined : parseHttpDate(date);
  return time !== undefined && lastModified > time;
}

/** Entity tags hold no quotes but may hold commas (RFC 9110 §8.8.3). */
const TAGS = /(W\/)?("[^"]*")/g;

function listsTag(list: string, etag: string, comparison: 'weak' | 'strong'): boolean {
  if (list.trim() === '*') return true;
  return Array.from(list.matchAll(TAGS)).some(([, weak, tag]) => {
    return tag === etag && (comparison === 'weak' || weak === undefined);
  });
}
