import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { QUIRKS, type Quirk } from '../../src/plan/quirk-table.ts';
import { compile, faultLines, planOf, SUBNET } from './rack-a1.ts';

const ROWS: readonly Quirk[] = QUIRKS;
const NAMES = QUIRKS.map(({ name }) => name).join(', ');
const host = (quirks: string): string =>
  `${SUBNET}hosts:\n  - { name: a, mac: 52:54:00:00:00:01, quirks: ${quirks} }\n`;
const withClass = (quirks: string): string =>
  `${SUBNET}classes:\n  - { name: a, match: { arch: 7 }, quirks: ${quirks} }\n`;

describe('the table of quirks', () => {
  test('names each once, in words that a file can use', () => {
    const names = ROWS.map(({ name }) => name);
    assert.deepEqual([...new Set(names)], names);
    for (const name of names) assert.match(name, /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/);
  });

  test('says of each for whom, what and where it was seen, in cells of one line', () => {
    for (const { name, whom, does, seen } of ROWS) {
      for (const cell of [whom, does, seen]) assert.match(cell, /^[^|\n]+[^.|\n]$/, name);
    }
  });

  test('has whole sub-options in option 43, with End behind them', () => {
    for (const { name, effects } of ROWS) {
      const bytes = Buffer.from((effects.vendorOptions ?? '').replaceAll(' ', ''), 'hex');
      let at = 0;
      while (at < bytes.length && bytes[at] !== 255) at += 2 + (bytes[at + 1] ?? 255);
      assert.equal(at, Math.max(0, bytes.length - 1), name);
    }
  });
});

describe('quirks in the file', () => {
  test('are on or off, for a host and for a class', () => {
    const switches = { 'pxe-direct': false, 'broadcast-reply': true };
    const text = '{ pxe-direct: off, broadcast-reply: on }';
    assert.deepEqual(planOf(host(text)).hosts[0]?.quirks, switches);
    assert.deepEqual(planOf(withClass(text)).classes?.[0]?.quirks, switches);
    assert.equal(Object.hasOwn(planOf(host('{}').replace(', quirks: {}', '')).hosts[0] ?? {}, 'quirks'), false);
  });

  const FAULTY: readonly (readonly [string, string])[] = [
    ['{ pxe-driect: off }', `one of ${NAMES}, found pxe-driect (did you mean \`pxe-direct\`?)`],
    ['{ pxe-direct: never }', 'on or off, found never'],
    ['{ pxe-direct: false }', 'on or off, found false'],
    ['pxe-direct', `a mapping with ${NAMES}, found pxe-direct`],
  ];
  for (const [quirks, expected] of FAULTY) {
    test(`${quirks} is a fault that names what was expected, and takes only its holder out of service`, () => {
      for (const text of [host(quirks), withClass(quirks)]) {
        const [line = '', ...others] = faultLines(text);
        assert.deepEqual(others, []);
        assert.match(line, /^6:\d+: (hosts|classes)\[0\]\.quirks/);
        assert.ok(line.endsWith(`: expected ${expected}`), line);
        assert.ok(compile(text).plan);
      }
    });
  }
});
