import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { openEmbeddedDatabase } from '../../src/region/database/embedded-database.ts';
import { formatKey } from '../../src/region/operators/keys.ts';
import { obeyDesk } from '../../src/region/region-desk.ts';
import { RegionRig } from '../region/region-rig.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.ts');
const HEAD = 'Success.\nMachine-readable output follows:\n';

const home = mkdtempSync(join(tmpdir(), 'rackboot-api-'));
let region: RegionRig;
let key: string;

before(async () => {
  region = await RegionRig.create(await openEmbeddedDatabase('memory://'));
  await obeyDesk(region.database, { kind: 'init', source: true });
  key = formatKey(await region.key());
});
after(async () => {
  await region[Symbol.asyncDispose]();
  rmSync(home, { recursive: true });
});

/** As a program of its own; `input` is typed, or piped, once `prompt` was said. */
async function run(program: string, args: readonly string[], input = '', prompt = '') {
  const child = spawn(program, args, { env: { ...process.env, HOME: home, XDG_CONFIG_HOME: '' } });
  let [out, err] = ['', ''];
  let isTyped = false;
  const type = (): void => {
    if (isTyped || !out.includes(prompt)) return;
    isTyped = true;
    child.stdin.end(input);
  };
  child.stdout.on('data', (chunk) => (out += String(chunk))).on('data', type);
  child.stderr.on('data', (chunk) => (err += String(chunk)));
  if (prompt === '') type();
  const [code] = (await once(child, 'close')) as [number];
  return { code, out, err };
}

const piped = (words: readonly string[], input?: string) => run(process.execPath, [MAIN, 'api', ...words], input);
/** script(1) makes the terminal, and gives the exit code of what runs there. */
const atTerminal = (words: readonly string[], input?: string, prompt?: string) => {
  const command = [process.execPath, MAIN, 'api', ...words].map((word) => `'${word}'`).join(' ');
  return run('script', ['--quiet', '--return', '--command', command, '/dev/null'], input, prompt);
};
const lines = (text: string): string => text.replaceAll('\r\n', '\n');

test('a key comes by a pipe, and a pipe gets what is for programs and nothing else', async () => {
  const login = await piped(['login', 'lab', `${region.url}/MAAS/api/1.0`, '-'], `${key}\n`);
  assert.deepEqual([login.code, login.err], [0, '']);
  const { code, out, err } = await piped(['lab', 'boot-sources', 'read']);
  assert.deepEqual([code, err], [0, '']);
  const [source] = JSON.parse(out) as { id: number }[];
  assert.equal(source?.id, 1);
  assert.ok(out.startsWith('[\n    {\n        "url": '), out);
});

test('a terminal is asked for the key and does not show it, and is told what the document of 2015 shows', async () => {
  const login = await atTerminal(['login', 'asked', `${region.url}/MAAS/api/1.0`], `${key}\r`, 'API key: ');
  assert.equal(login.code, 0, login.out);
  const [, , secret = ''] = key.split(':');
  assert.ok(!login.out.includes(secret) && !login.out.includes(key.slice(0, 8)), login.out);
  assert.ok(
    lines(login.out).includes("with the profile name 'asked'.\n\nFor help with the available commands, try:\n"),
  );
  const read = await atTerminal(['asked', 'boot-sources', 'read']);
  assert.equal(read.code, 0);
  assert.ok(lines(read.out).startsWith(`${HEAD}[\n    {\n        "url": `), read.out);
});

test('whoever leaves the question leaves the command', async () => {
  const { code, out } = await atTerminal(['login', 'left', region.url], '\u0003', 'API key: ');
  assert.equal(code, 1);
  assert.match(lines(out), /rackboot: nothing was typed\n$/);
});

const CODES: readonly (readonly [title: string, words: readonly string[], code: number, err: RegExp])[] = [
  ['the answer is no', ['lab', 'boot-source', 'read', '99'], 1, /^404 Not Found\n/],
  [
    'there is no such command',
    ['lab', 'boot-sorce', 'read', '1'],
    2,
    /^rackboot: api: there is no resource boot-sorce/,
  ],
  [
    'nobody is there',
    ['login', 'x', 'http://127.0.0.1:1/', 'a:b:c'],
    3,
    /^rackboot: http:\/\/127\.0\.0\.1:1: .*ECONNREFUSED/,
  ],
];
for (const [title, words, code, err] of CODES) {
  test(`where ${title} the exit code is ${code}, and no stack is shown`, async () => {
    const said = await piped(words);
    assert.deepEqual([said.code, said.out], [code, '']);
    assert.match(said.err, err);
    assert.ok(!/\n\s+at /.test(said.err), said.err);
  });
}
