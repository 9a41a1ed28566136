import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { QUIRKS } from '../src/plan/quirk-table.ts';

const ROOT = join(import.meta.dirname, '..');
const FILE = join(ROOT, 'etc/quirks.md');
const TESTS = 'test/dhcp/quirks.test.ts';
const HEAD = '| quirk | for | what is done | seen | test |\n|---|---|---|---|---|\n';

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

test('the page of quirks has the rows of the table', () => {
  const rows = QUIRKS.map(
    ({ name, whom, does, seen }) => `| \`${name}\` | ${whom} | ${does} | ${seen} | quirk ${name} |\n`,
  ).join('');
  const page = readFileSync(FILE, 'utf8');
  const start = page.indexOf(HEAD) + HEAD.length;
  const end = page.indexOf('\n\n', start - 1) + 1;
  if (process.env['UPDATE_FIXTURES'] === '1') writeFileSync(FILE, page.slice(0, start) + rows + page.slice(end));
  const stale = 'etc/quirks.md is stale: run UPDATE_FIXTURES=1 node --test test/pages.test.ts';
  assert.equal(readFileSync(FILE, 'utf8').slice(start).split('\n\n', 1)[0], rows.trimEnd(), stale);
});

test('each quirk has tests of its own, on and off', () => {
  const tests = read(TESTS).split("\nquirk('").slice(1);
  assert.deepEqual(
    tests.map((group) => group.slice(0, group.indexOf("'"))),
    QUIRKS.map(({ name }) => name),
  );
  for (const [i, { name }] of QUIRKS.entries()) {
    const group = tests[i]?.split('\n});\n', 1)[0] ?? '';
    assert.match(group, new RegExp(`quirks\\('${name}: (on|off)'\\)`), `no test switches ${name}`);
  }
});

for (const page of ['etc/quirks.md', 'etc/rfcs.md']) {
  test(`the tests that ${page} names are there`, () => {
    const named = [...read(page).matchAll(/\| `(test\/\S+)`: (.*) \|$/gm)];
    assert.ok(named.length > 20);
    for (const [, path = '', title = ''] of named) assert.ok(read(path).includes(title), `${path}: ${title}`);
  });
}

test('each RFC has its test', () => {
  const rows = read('etc/rfcs.md')
    .split('\n')
    .filter((line) => line.startsWith('| ') && !/^\| (RFC|survey) /.test(line));
  for (const row of rows) assert.match(row, /\| `test\/\S+`: .+ \|$/, row);
});

test('the page accounts for every item of the survey that is about TFTP', () => {
  const page = read('etc/rfcs.md');
  const wanted = Array.from({ length: 10 }, (_, i) => `§3.2/${i + 28}`);
  assert.deepEqual(
    wanted.filter((item) => !page.includes(item)),
    [],
  );
});

test('the page accounts for every item of the survey that is about DHCP', () => {
  const page = read('etc/quirks.md');
  const seen = new Set(Array.from(page.matchAll(/§3\.(\d)\/(\d+)/g), ([, part, item]) => `${part}/${item}`));
  // "§3.1/3, 6" names two
  for (const [, part, item] of page.matchAll(/§3\.(\d)\/\d+, (\d+)\)/g)) seen.add(`${part}/${item}`);
  const wanted = [
    ...Array.from({ length: 27 }, (_, i) => `1/${i + 1}`),
    ...Array.from({ length: 15 }, (_, i) => `3/${i + 38}`),
  ];
  assert.deepEqual(
    wanted.filter((item) => !seen.has(item)),
    [],
  );
});
