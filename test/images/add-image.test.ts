import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { addImage } from '../../src/images/add-image.ts';
import { bootFilesOfIso } from '../../src/images/iso-image.ts';
import { shelvedFile, imageShelf } from '../../src/plan/stored-image.ts';

const NOW = Date.UTC(2026, 6, 20, 12);
const root = mkdtempSync(join(tmpdir(), 'rackboot-add-'));
after(() => rmSync(root, { recursive: true }));
const at = (name: string) => join(root, name);

writeFileSync(at('kernel'), 'kernel');
writeFileSync(at('empty'), '');
mkdirSync(at('directory'));
execFileSync('mkfifo', [at('pipe')]);
symlinkSync('/dev/null', at('link'));
symlinkSync(at('kernel'), at('good link'));
const socket = createServer().listen(at('socket'));
await once(socket, 'listening');
after(() => socket.close());

function add(state: string, initrd: string, size?: number): Promise<unknown> {
  const content = { file: at('kernel') };
  const files = [
    { name: 'boot-kernel', ftype: 'boot-kernel', content },
    { name: 'boot-initrd', ftype: 'boot-initrd', content: { file: initrd, ...(size !== undefined && { size }) } },
  ];
  return addImage(state, { os: 'custom', release: 'rescue', arch: 'amd64', files }, NOW);
}

for (const [what, file, says] of [
  ['a device', '/dev/null', 'expected a file, found a device'],
  ['a link to a device', at('link'), 'expected a file, found a device'],
  ['a directory', at('directory'), 'expected a file, found a directory'],
  ['a named pipe', at('pipe'), 'expected a file, found a named pipe'],
  ['a socket', at('socket'), 'expected a file, found a socket'],
  ['an empty file', at('empty'), 'expected a file with something in it, found an empty one'],
  ['nothing', at('none'), 'no such file'],
] as const) {
  test(`what an operator adds is refused, and none of it is here, where one of the files is ${what}`, async () => {
    const state = mkdtempSync(at('state-'));
    await assert.rejects(add(state, file), { message: `${file}: ${says}` });
    assert.equal(existsSync(imageShelf(state)), false);
    assert.throws(() => bootFilesOfIso(file), { message: `${file}: ${says}` });
  });
}

test('a part of a file with nothing in it is refused', async () => {
  await assert.rejects(add(mkdtempSync(at('state-')), at('kernel'), 0), {
    message: /expected something in what it boots/,
  });
});

test('a link to a file is as good as the file', async () => {
  const state = mkdtempSync(at('state-'));
  await add(state, at('good link'));
  const [name = ''] = readdirSync(imageShelf(state));
  assert.equal(readFileSync(shelvedFile(imageShelf(state), name), 'utf8'), 'kernel');
});
