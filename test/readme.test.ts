import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { parseIp4, UNSPECIFIED } from '../src/addr/ip4.ts';
import { compilePlan } from '../src/plan/compile-plan.ts';
import { MAY_IMPORT } from './rooms.ts';

const ROOT = join(import.meta.dirname, '..');
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');

function blocks(language: string): string[] {
  return Array.from(README.matchAll(new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``, 'g')), (match) => match[1] ?? '');
}

test('the map names every room and what it may import', () => {
  const table = README.slice(README.indexOf('| room |'), README.indexOf('`test/layering.test.ts` holds'));
  const rows = table.split('\n').filter((row) => row.startsWith('| `') && !row.startsWith('| `main.ts`'));
  const written = new Map<string, string[]>();
  for (const row of rows) {
    const [, rooms = '', , imports = ''] = row.split('|');
    const names = imports.trim() === '–' ? [] : imports.trim().split(' ');
    for (const [, room = ''] of rooms.matchAll(/`([\w-]+)`/g)) written.set(room, names.toSorted());
  }
  const wanted = Object.entries(MAY_IMPORT).map(([room, names]) => [room, names.toSorted()] as const);
  assert.deepEqual(Object.fromEntries(written), Object.fromEntries(wanted));
});

test('the smallest file that serves compiles without a fault', () => {
  const [text = ''] = blocks('yaml');
  const { plan, faults } = compilePlan(text, 'rackboot.yaml', {
    hostName: 'rack-a1',
    interfaces: [{ name: 'eth0', address: parseIp4('192.168.127.1') ?? UNSPECIFIED, prefix: 24 }],
    excuses: () => false,
    fileExists: () => true,
    directoryExists: () => true,
  });
  assert.deepEqual(faults, []);
  assert.equal(plan?.subnets.length, 1);
});

test('the commands it lists are those of the program', () => {
  const usage = execFileSync(process.execPath, [join(ROOT, 'src', 'main.ts'), 'help'], { encoding: 'utf8' });
  const known = Array.from(usage.matchAll(/^ {2}(\w+) /gm), ([, name = '']) => name);
  const section = README.slice(README.indexOf('### Commands'), README.indexOf('### Ports'));
  assert.deepEqual(
    Array.from(section.matchAll(/^\| `rackboot (\w+)/gm), ([, name = '']) => name),
    known,
  );
});

test('the scripts it tells to run are in package.json, and CI runs the second of its two commands', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  for (const [, name = ''] of README.matchAll(/npm run ([\w:]+)/g)) assert.ok(scripts[name], `npm run ${name}`);
  const [first = ''] = blocks('sh');
  const command = /^(npm ci && npm test)\b/m.exec(first)?.[1] ?? 'the second command';
  assert.ok(readFileSync(join(ROOT, '.ci', 'run'), 'utf8').includes(command));
});

test('the files it links to are there', () => {
  for (const [, path = ''] of README.matchAll(/\]\(([^)#:]+)\)/g)) assert.ok(existsSync(join(ROOT, path)), path);
});
