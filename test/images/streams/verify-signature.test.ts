import assert from 'node:assert/strict';
import { test } from 'node:test';

import { checkDetached, readClearSigned } from '../../../src/images/streams/verify-signature.ts';
import { clearSign, detachedSignature, signingKey } from './stream-fixture.ts';

const FILE = 'streams/v1/index.sjson';
const RING = '/usr/share/keyrings/mirror.gpg';
const TEXT = '{\n  "format": "index:1.0",\n- a line that begins with a dash\n}';

const mirror = await signingKey();
const stranger = await signingKey('stranger');
const ring = { file: RING, bytes: mirror.binary };

test('a clear-signed text is believed, by a binary and by an armoured keyring', async () => {
  const signed = await clearSign(TEXT, mirror);
  assert.equal(await readClearSigned(signed, FILE, ring), TEXT);
  assert.equal(await readClearSigned(signed, FILE, { file: RING, bytes: mirror.armoured }), TEXT);
});

test('one good signature of two will do', async () => {
  assert.equal(await readClearSigned(await clearSign(TEXT, stranger, mirror), FILE, ring), TEXT);
});

test('what stands around the signed text is not part of it', async () => {
  const signed = `{"format":"evil"}\n${await clearSign(TEXT, mirror)}\n{"format":"evil"}`;
  const read = await readClearSigned(signed, FILE, ring).catch((error: unknown) => String(error));
  assert.ok(read === TEXT || read.startsWith('StreamError'), read);
});

test('a key that is not in the ring is named, with the file and the keys that are', async () => {
  await assert.rejects(readClearSigned(await clearSign(TEXT, stranger), FILE, ring), (error: Error) => {
    assert.equal(error.name, 'StreamError');
    assert.ok(error.message.startsWith(`${FILE}: signature refused: key ${stranger.id}: `), error.message);
    assert.ok(error.message.includes(`(${RING} has ${mirror.id})`), error.message);
    return true;
  });
});

test('a text that was changed is refused', async () => {
  const signed = (await clearSign(TEXT, mirror)).replace('index:1.0', 'index:6.6');
  await assert.rejects(readClearSigned(signed, FILE, ring), { message: new RegExp(`key ${mirror.id}: `) });
});

for (const [name, text] of [
  ['plain JSON', '{}'],
  ['nothing', ''],
  ['a head without an end', '-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n{}'],
] as const) {
  test(`not clear-signed, and refused: ${name}`, async () => {
    await assert.rejects(readClearSigned(text, FILE, ring), {
      name: 'StreamError',
      message: /^streams\/v1\/index\.sjson: /,
    });
  });
}

test('a file that is no keyring is named', async () => {
  const signed = await clearSign(TEXT, mirror);
  for (const bytes of [Buffer.from('hello'), Buffer.from('-----BEGIN PGP PUBLIC KEY BLOCK-----\n'), Buffer.alloc(0)]) {
    await assert.rejects(readClearSigned(signed, FILE, { file: RING, bytes }), {
      name: 'StreamError',
      message: /^\/usr\/share\/keyrings\/mirror\.gpg: expected a keyring/,
    });
  }
});

test('a detached signature is checked, binary and armoured', async () => {
  const content = Buffer.from(TEXT);
  const signature = await detachedSignature(content, mirror);
  await checkDetached(content, signature, FILE, ring);
  await assert.rejects(checkDetached(Buffer.from('other'), signature, FILE, ring), { message: /signature refused/ });
  await assert.rejects(checkDetached(content, await detachedSignature(content, stranger), FILE, ring), {
    message: new RegExp(`key ${stranger.id}`),
  });
  await assert.rejects(checkDetached(content, Buffer.from('x'), FILE, ring), { message: /expected a signature/ });
});
