import assert from 'node:assert/strict';
import { globSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { test } from 'node:test';

import { MAY_IMPORT } from './rooms.ts';

/** Rooms that decide or translate: no I/O, no clock, no log. */
const PURE = new Set(['addr', 'wire', 'plan', 'boot', 'story', 'contract']);
/** Only words about paths. */
const PURE_NODE_MODULES = new Set(['node:path']);

const SOURCE = join(import.meta.dirname, '..', 'src');
const IMPORT = /^(?:import|export)\b[^;]*?from '([^']+)'|^import '([^']+)'|\bimport\('([^']+)'\)/gm;

function importsOf(file: string): string[] {
  const text = readFileSync(join(SOURCE, file), 'utf8');
  return Array.from(text.matchAll(IMPORT), (match) => match[1] ?? match[2] ?? match[3] ?? '');
}

const files = globSync('**/*.ts', { cwd: SOURCE });
const imports = files.map((file) => ({ file, room: roomOf(file), names: importsOf(file) }));

function roomOf(file: string): string {
  return file.includes('/') ? (file.split('/', 1)[0] ?? '') : file;
}

function roomImported(file: string, name: string): string | undefined {
  return name.startsWith('.') ? roomOf(posix.join(posix.dirname(file), name)) : undefined;
}

test('every room stands in the table, and every room of the table stands', () => {
  const rooms = readdirSync(SOURCE, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  assert.deepEqual(rooms.map(({ name }) => name).toSorted(), Object.keys(MAY_IMPORT).toSorted());
});

test('a room imports only what the table allows', () => {
  const wrong = imports
    .filter(({ file }) => file !== 'main.ts')
    .flatMap(({ file, room, names }) => names.map((name) => ({ file, room, to: roomImported(file, name) })))
    .filter(({ room, to }) => to !== undefined && to !== room && !MAY_IMPORT[room]?.includes(to));
  assert.deepEqual(wrong, []);
});

test('main imports commands and nothing else of ours', () => {
  const { names } = imports.find(({ file }) => file === 'main.ts') ?? { names: [] };
  assert.ok(names.length > 3);
  assert.deepEqual(
    names.filter((name) => name.startsWith('.') && !name.startsWith('./cli/')),
    [],
  );
});

test('what is loaded when the program starts is what the daemon needs: no virtual machines, no OpenPGP', () => {
  const atOnce = /^(?:import|export) (?!type )[^;]*?from '([^']+)'|^import '([^']+)'/gm;
  const [loaded, packages, left] = [new Set<string>(), new Set<string>(), ['main.ts']];
  for (let file = left.pop(); file !== undefined; file = left.pop()) {
    if (loaded.has(file)) continue;
    loaded.add(file);
    for (const match of readFileSync(join(SOURCE, file), 'utf8').matchAll(atOnce)) {
      const name = match[1] ?? match[2] ?? '';
      if (name.startsWith('.')) left.push(posix.join(posix.dirname(file), name));
      else packages.add(name);
    }
  }
  assert.ok(loaded.has('rack/rack.ts') && packages.has('yaml'));
  assert.deepEqual(
    [...loaded].filter((file) => roomOf(file) === 'lab' || file.startsWith('images/streams/verify')),
    [],
  );
  assert.ok(!packages.has('openpgp'));
});

test('the table has no cycle', () => {
  const visit = (room: string, path: readonly string[]): void => {
    assert.ok(!path.includes(room), [...path, room].join(' → '));
    for (const next of MAY_IMPORT[room] ?? []) visit(next, [...path, room]);
  };
  for (const room of Object.keys(MAY_IMPORT)) visit(room, []);
});

test('no file takes part in a cycle of imports', () => {
  const graph = new Map(
    imports.map(({ file, names }) => [
      file,
      names.filter((name) => name.startsWith('.')).map((name) => posix.join(posix.dirname(file), name)),
    ]),
  );
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    assert.ok(!path.includes(file), [...path, file].join(' → '));
    if (done.has(file)) return;
    for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
});

test('rooms that decide or translate touch nothing outside', () => {
  const wrong = imports
    .filter(({ room }) => PURE.has(room))
    .flatMap(({ file, names }) => names.map((name) => `${file}: ${name}`))
    .filter((line) => line.includes(': node:') && !PURE_NODE_MODULES.has(line.split(': ')[1] ?? ''));
  assert.deepEqual(wrong, []);
});

test('only main takes arguments and signals, writes to the terminal and ends the process', () => {
  const touches =
    /\bprocess\.(argv|env|exit|exitCode|on|once|std\w+)\b|import process\b|\{[^}]*\b(argv|exit|exitCode|stdout|stderr)\b[^}]*\} from 'node:process'/;
  const touching = files.filter((file) => touches.test(readFileSync(join(SOURCE, file), 'utf8')));
  assert.deepEqual(touching, ['main.ts']);
});
