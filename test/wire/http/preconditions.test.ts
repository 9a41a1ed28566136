import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { parseHttpDate } from '../../../src/wire/http/http-date.ts';
import { checkPreconditions, ifRangeHolds, type Verdict } from '../../../src/wire/http/preconditions.ts';

const FILE = { etag: '"a,b"', lastModified: Date.parse('2026-01-02T03:04:05Z') };
const [BEFORE, THEN, AFTER] = [4, 5, 6].map((second) => `Fri, 02 Jan 2026 03:04:0${second} GMT`);

const CONDITIONS: readonly (readonly [Record<string, string | undefined>, Verdict])[] = [
  [{}, 'send'],
  [{ 'if-match': '"a,b"' }, 'send'],
  [{ 'if-match': '"x", "a,b"' }, 'send'],
  [{ 'if-match': '*' }, 'send'],
  [{ 'if-match': '"x"' }, 'failed'],
  [{ 'if-match': 'W/"a,b"' }, 'failed'],
  [{ 'if-match': 'nonsense' }, 'failed'],
  [{ 'if-unmodified-since': THEN }, 'send'],
  [{ 'if-unmodified-since': AFTER }, 'send'],
  [{ 'if-unmodified-since': BEFORE }, 'failed'],
  [{ 'if-unmodified-since': 'nonsense' }, 'send'],
  [{ 'if-match': '"a,b"', 'if-unmodified-since': BEFORE }, 'send'],
  [{ 'if-none-match': '"a,b"' }, 'not modified'],
  [{ 'if-none-match': 'W/"a,b"' }, 'not modified'],
  [{ 'if-none-match': '"x",W/"y" ,"a,b"' }, 'not modified'],
  [{ 'if-none-match': '*' }, 'not modified'],
  [{ 'if-none-match': '"x"' }, 'send'],
  [{ 'if-none-match': 'a,b' }, 'send'],
  [{ 'if-none-match': '"x"', 'if-modified-since': THEN }, 'send'],
  [{ 'if-modified-since': BEFORE }, 'send'],
  [{ 'if-modified-since': THEN }, 'not modified'],
  [{ 'if-modified-since': AFTER }, 'not modified'],
  [{ 'if-modified-since': '2026-01-03' }, 'send'],
  [{ 'if-match': '"x"', 'if-none-match': '"a,b"' }, 'failed'],
  [{ 'if-match': '"a,b"', 'if-none-match': '"a,b"' }, 'not modified'],
];

describe('a request under conditions (RFC 9110 §13.2.2)', () => {
  for (const [headers, verdict] of CONDITIONS) {
    it(`${JSON.stringify(headers)}: ${verdict}`, () => assert.equal(checkPreconditions(headers, FILE), verdict));
  }
});

describe('a Range header counts (RFC 9110 §13.1.5)', () => {
  const later = FILE.lastModified + 60_000;
  for (const [condition, now, holds] of [
    [undefined, later, true],
    ['"a,b"', later, true],
    ['W/"a,b"', later, false],
    ['"x"', later, false],
    [THEN, later, true],
    [BEFORE, later, false],
    [AFTER, later, false],
    ['nonsense', later, false],
    ['', later, false],
    [THEN, FILE.lastModified + 1500, false],
  ] as const) {
    it(`${holds ? 'with' : 'not with'} If-Range: ${condition} ${now - FILE.lastModified} ms after the change`, () => {
      assert.equal(ifRangeHolds(condition, FILE, now), holds);
    });
  }
});

describe('a date (RFC 9110 §5.6.7)', () => {
  const example = Date.parse('1994-11-06T08:49:37Z');
  for (const [text, time] of [
    ['Sun, 06 Nov 1994 08:49:37 GMT', example],
    ['Sunday, 06-Nov-94 08:49:37 GMT', example],
    ['Sun Nov  6 08:49:37 1994', example],
    ['Tuesday, 06-Nov-29 08:49:37 GMT', Date.parse('2029-11-06T08:49:37Z')],
    ['Sat, 31 Dec 2016 23:59:60 GMT', Date.parse('2017-01-01T00:00:00Z')],
    ['Sun, 06 Nov 1994 08:49:37 UTC', undefined],
    ['Sun, 31 Feb 1994 08:49:37 GMT', undefined],
    ['Sun, 00 Nov 1994 08:49:37 GMT', undefined],
    ['Sun, 06 Nov 1994 24:49:37 GMT', undefined],
    ['Sun, 06 nov 1994 08:49:37 GMT', undefined],
    ['1994-11-06T08:49:37Z', undefined],
    ['', undefined],
  ] as const) {
    it(`${text} is ${time === undefined ? 'none' : new Date(time).toISOString()}`, () => {
      assert.equal(parseHttpDate(text), time);
    });
  }
});
