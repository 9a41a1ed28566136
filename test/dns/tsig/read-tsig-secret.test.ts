import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { readTsigSecret } from '../../../src/dns/tsig/read-tsig-secret.ts';
import { SECRET, XFER } from './keys.ts';

const directory = mkdtempSync(join(tmpdir(), 'rackboot-key-'));
after(() => rmSync(directory, { recursive: true }));
const encoded = SECRET.toString('base64');

function read(text: string, mode = 0o640): ReturnType<typeof readTsigSecret> {
  const secretFile = join(directory, 'key');
  writeFileSync(secretFile, text);
  chmodSync(secretFile, mode);
  return readTsigSecret({ name: 'xfer.example', algorithm: 'hmac-sha256', secretFile });
}

const good: [name: string, text: string][] = [
  ['base64', encoded],
  ['base64 on a line', `${encoded}\n`],
  ['what tsig-keygen writes', `key "xfer.example" {\n\talgorithm hmac-sha256;\n\tsecret "${encoded}";\n};\n`],
  ['a clause of another hand', `key XFER.example. { secret ${encoded}; algorithm HMAC-SHA256; }`],
];
for (const [name, text] of good) {
  test(`a secret is read from ${name}`, () => {
    const [message] = [Buffer.from('message')];
    assert.deepEqual(read(text).mac([message]), XFER.mac([message]));
  });
}

const bad: [name: string, text: string, fault: RegExp, mode?: number][] = [
  ['nothing', '', /expected the secret in base64/],
  ['a word', 'open sesame', /expected the secret in base64/],
  ['too few octets', 'c2VjcmV0', /at least 16 octets, found 6/],
  ['another key', `key "other" { algorithm hmac-sha256; secret "${encoded}"; };`, /it has the key "other"/],
  ['another algorithm', `key "xfer.example" { algorithm hmac-md5; secret "${encoded}"; };`, /it has an hmac-md5 key/],
  ['a clause without a secret', 'key "xfer.example" { algorithm hmac-sha256; };', /expected the secret/],
  ['a large file', 'A'.repeat(5000), /found a file of 5000 bytes/],
  ['a file that everybody may read', encoded, /everybody on this machine may read it/, 0o644],
];
for (const [name, text, fault, mode] of bad) {
  test(`${name} is refused, and nothing of it told`, () => {
    assert.throws(() => read(text, mode), { message: fault });
    assert.throws(
      () => read(text, mode),
      (error) => error instanceof Error && !error.message.includes(encoded),
    );
  });
}

test('a file that is not there is refused', () => {
  const secretFile = join(directory, 'absent');
  assert.throws(() => readTsigSecret({ name: 'x', algorithm: 'hmac-sha256', secretFile }), /ENOENT/);
});

test('a FIFO is refused, not waited for', () => {
  const secretFile = join(directory, 'fifo');
  execFileSync('mkfifo', ['-m', '600', secretFile]);
  assert.throws(() => readTsigSecret({ name: 'x', algorithm: 'hmac-sha256', secretFile }), /it is no file/);
});
