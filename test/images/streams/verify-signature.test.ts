import assert from 'node:assert/strict';
import { test } from 'node:test';

import { checkDetached, readClearSigned } from '../../../src/images/streams/verify-signature.ts';
import { clearSignAt, detachedSignature, extended, revoked, signingKey, type SigningKey } from './stream-fixture.ts';

const FILE = 'streams/v1/index.sjson';
const RING = '/usr/share/keyrings/mirror.gpg';
const TEXT = '{\n  "format": "index:1.0",\n- a line that begins with a dash\n}';

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 6, 20, 12);
const BORN = NOW - 1_000 * DAY;
const mirror = await signingKey('mirror', BORN);
const stranger = await signingKey('stranger', BORN);
const ring = { keyring: { file: RING, bytes: mirror.binary }, now: NOW };

test('a clear-signed text is believed, by a binary and by an armoured keyring', async () => {
  const signed = await clearSignAt(NOW, TEXT, mirror);
  assert.equal(await readClearSigned(signed, FILE, ring), TEXT);
  assert.equal(await readClearSigned(signed, FILE, { ...ring, keyring: { file: RING, bytes: mirror.armoured } }), TEXT);
});

test('one good signature of two will do', async () => {
  assert.equal(await readClearSigned(await clearSignAt(NOW, TEXT, stranger, mirror), FILE, ring), TEXT);
});

test('what stands around the signed text is not part of it', async () => {
  const signed = `{"format":"evil"}\n${await clearSignAt(NOW, TEXT, mirror)}\n{"format":"evil"}`;
  const read = await readClearSigned(signed, FILE, ring).catch((error: unknown) => String(error));
  assert.ok(read === TEXT || read.startsWith('StreamError'), read);
});

test('a key that is not in the ring is named, with the file and the keys that are', async () => {
  await assert.rejects(readClearSigned(await clearSignAt(NOW, TEXT, stranger), FILE, ring), (error: Error) => {
    assert.equal(error.name, 'StreamError');
    assert.ok(error.message.startsWith(`${FILE}: signature refused: key ${stranger.id}: `), error.message);
    assert.ok(error.message.includes(`(${RING} has ${mirror.id})`), error.message);
    return true;
  });
});

test('a text that was changed is refused', async () => {
  const signed = (await clearSignAt(NOW, TEXT, mirror)).replace('index:1.0', 'index:6.6');
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
  const signed = await clearSignAt(NOW, TEXT, mirror);
  for (const bytes of [Buffer.from('hello'), Buffer.from('-----BEGIN PGP PUBLIC KEY BLOCK-----\n'), Buffer.alloc(0)]) {
    await assert.rejects(readClearSigned(signed, FILE, { ...ring, keyring: { file: RING, bytes } }), {
      name: 'StreamError',
      message: /^\/usr\/share\/keyrings\/mirror\.gpg: expected a keyring/,
    });
  }
});

test('a detached signature is checked, binary and armoured', async () => {
  const content = Buffer.from(TEXT);
  const signature = await detachedSignature(content, mirror, NOW);
  await checkDetached(content, signature, FILE, ring);
  await assert.rejects(checkDetached(Buffer.from('other'), signature, FILE, ring), { message: /signature refused/ });
  await assert.rejects(checkDetached(content, await detachedSignature(content, stranger, NOW), FILE, ring), {
    message: new RegExp(`key ${stranger.id}`),
  });
  await assert.rejects(checkDetached(content, Buffer.from('x'), FILE, ring), { message: /expected a signature/ });
});

/** What is said of a text by `key`, signed at `at`, with this ring; undefined: it is believed. */
async function refusal(key: SigningKey, at: number, inRing = key, now = NOW): Promise<string | undefined> {
  const judge = { keyring: { file: RING, bytes: inRing.binary }, now };
  const content = Buffer.from(TEXT);
  const said = [
    await told(readClearSigned(await clearSignAt(at, TEXT, key), FILE, judge)),
    await told(checkDetached(content, await detachedSignature(content, key, at), FILE, judge)),
  ];
  assert.equal(said[0], said[1]);
  return said[0];
}

function told(reading: Promise<unknown>): Promise<string | undefined> {
  return reading.then(
    () => undefined,
    (error: Error) => (error.name === 'StreamError' ? error.message : Promise.reject(error)),
  );
}

const said = (key: SigningKey, reason: string) =>
  `${FILE}: signature refused: key ${key.id}: ${reason} (${RING} has ${key.id})`;

test('a signature made before its key expired is not believed after that: its time is what its maker wrote', async () => {
  const key = await signingKey('mirror', BORN, 900 * DAY);
  const end = new Date(BORN + 900 * DAY).toISOString().slice(0, 19);
  assert.equal(await refusal(key, BORN + 10 * DAY, key, BORN + 899 * DAY), undefined);
  assert.equal(await refusal(key, BORN + 10 * DAY), said(key, `expired at ${end}Z`));
});

test('a key whose end was put off vouches for what it signed before that', async () => {
  const key = await signingKey('mirror', BORN, 900 * DAY);
  const longer = await extended(key, NOW - DAY, 2_000 * DAY);
  assert.equal(await refusal(key, NOW - 200 * DAY, longer), undefined);
  assert.equal(
    await refusal(key, NOW - 200 * DAY, longer, NOW + 5_000 * DAY),
    said(key, 'expired at 2029-04-15T12:00:00Z'),
  );
});

for (const reason of ['keyCompromised', 'keyRetired', 'keySuperseded', 'noReason'] as const) {
  test(`a revoked key vouches for nothing, not for what says that it is older either: ${reason}`, async () => {
    const inRing = await revoked(mirror, reason, NOW - 10 * DAY);
    assert.equal(await refusal(mirror, NOW - 100 * DAY, inRing), said(mirror, 'is revoked'));
  });
}

test('a signature of the future is refused, but for what two clocks may be apart', async () => {
  assert.equal(await refusal(mirror, NOW + 300_000), undefined);
  assert.equal(
    await refusal(mirror, NOW + DAY),
    said(mirror, 'signed at 2026-07-21T12:00:00Z, and by the clock here it is 2026-07-20T12:00:00Z'),
  );
});

test('a rack whose clock was not set is told so', async () => {
  const unset = Date.UTC(1970, 0, 1);
  const reason = 'signed at 2026-07-20T12:00:00Z, and by the clock here it is 1970-01-01T00:00:00Z';
  assert.equal(await refusal(mirror, NOW, mirror, unset), said(mirror, reason));
});

test('signatures without end are refused before any is checked', async () => {
  const keys = Array.from({ length: 17 }, () => mirror);
  const reason = { name: 'StreamError', message: `${FILE}: expected at most 16 signatures, found 17` };
  await assert.rejects(readClearSigned(await clearSignAt(NOW, TEXT, ...keys), FILE, ring), reason);
  const one = await detachedSignature(Buffer.from(TEXT), mirror, NOW);
  await assert.rejects(checkDetached(Buffer.from(TEXT), Buffer.concat(keys.map(() => one)), FILE, ring), reason);
});

test('lines without end are refused before any is read', async () => {
  const text = `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n${'\n'.repeat(2_000_001)}`;
  await assert.rejects(readClearSigned(text, FILE, ring), { message: /expected at most 2000000 lines, found more$/ });
});

/** What is not the text itself, changed anywhere, is refused as a stream is, or vouches for the text as it was signed. */
const ROUNDS = Math.min(20_000, Number(process.env['RACKBOOT_FUZZ_ROUNDS'] ?? 3_000));

test(`of ${ROUNDS} spoilt clear-signed texts, none vouches for what was not signed, and none throws anything else`, async (t) => {
  const signed = Buffer.from(await clearSignAt(NOW, TEXT, stranger, mirror));
  const chance = numbers(1);
  let accepted = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const spoilt = spoil(signed, chance).toString('utf8');
    const read = await readClearSigned(spoilt, FILE, ring).catch((error: Error) => error);
    if (typeof read === 'string') {
      accepted++;
      assert.equal(read, TEXT, spoilt);
    } else assert.equal(read.name, 'StreamError', `${read.message}\n${spoilt}`);
  }
  t.diagnostic(`${accepted} were believed: what was spoilt is nothing that is signed`);
  assert.ok(accepted < ROUNDS / 2);
});

test(`of ${ROUNDS} spoilt signatures beside a text, and texts beside them, none is believed unless both mean the same`, async (t) => {
  const content = Buffer.from(TEXT);
  const signature = Buffer.from(await detachedSignature(content, mirror, NOW));
  const chance = numbers(2);
  let accepted = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const isText = round % 4 === 0;
    const [text, beside] = isText ? [spoil(content, chance), signature] : [content, spoil(signature, chance)];
    const fault = await checkDetached(text, beside, FILE, ring).then(
      () => undefined,
      (error: Error) => error,
    );
    if (fault === undefined) {
      accepted++;
      assert.deepEqual(text, content);
    } else assert.equal(fault.name, 'StreamError', `${fault.message} ${beside.toString('hex')}`);
  }
  t.diagnostic(`${accepted} were believed`);
  assert.ok(accepted < ROUNDS / 2);
});

/** The same seed, the same numbers, from 0 to below 1. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** One to three bytes or pieces of it changed, taken out, put in or doubled. */
function spoil(bytes: Buffer, chance: () => number): Buffer {
  let spoilt = Buffer.from(bytes);
  const place = () => Math.floor(chance() * (spoilt.length + 1));
  for (let times = 1 + Math.floor(chance() * 3); times > 0; times--) {
    const [from, to] = [place(), place()].toSorted((a, b) => a - b) as [number, number];
    const piece = spoilt.subarray(from, Math.min(to, from + 40));
    const kind = Math.floor(chance() * 5);
    const byte = Buffer.of(Math.floor(chance() * 256));
    if (kind === 0) spoilt = Buffer.concat([spoilt.subarray(0, from), byte, spoilt.subarray(from + 1)]);
    else if (kind === 1) spoilt = Buffer.concat([spoilt.subarray(0, from), spoilt.subarray(from + piece.length)]);
    else if (kind === 2) spoilt = Buffer.concat([spoilt.subarray(0, to), piece, spoilt.subarray(to)]);
    else if (kind === 3) spoilt = Buffer.concat([spoilt.subarray(0, from), byte, spoilt.subarray(from)]);
    else spoilt = spoilt.subarray(0, from);
  }
  return spoilt;
}
