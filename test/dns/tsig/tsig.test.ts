import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';

import { TsigSecret } from '../../../src/dns/tsig/tsig-secret.ts';
import { TsigSigner, unsignedFaultSize, writeUnsignedFault } from '../../../src/dns/tsig/tsig-signer.ts';
import { verifyTsig, type Verdict } from '../../../src/dns/tsig/verify-tsig.ts';
import { findTsig, readTsig, TSIG_ERROR, type Tsig } from '../../../src/wire/dns/tsig.ts';
import { WireError } from '../../../src/wire/wire-error.ts';
import { fuzz } from '../../wire/fuzz.ts';
import { question } from '../ask.ts';
import { keysOf, RACK, SECRET, XFER } from './keys.ts';

/** dig 9.18 -y hmac-sha256:xfer.example:… rack.example SOA */
const DIG = Buffer.from(
  '550501200001000000000002047261636b076578616d706c65000006000100002904d00000000000000478666572076578616d706c6500' +
    '00fa00ff00000000003d0b686d61632d7368613235360000006b0a8ce4012c0020428a4644e5fbf5f4126d20b8fd2e0b020f6dd49f7f71' +
    '297c894e744dc5a3112e550500000000',
  'hex',
);
/** dig 9.18 -y hmac-sha512:rack.example:… rack.example SOA */
const DIG_512 = Buffer.from(
  'f94f01200001000000000002047261636b076578616d706c65000006000100002904d0000000000000047261636b076578616d706c6500' +
    '00fa00ff00000000005d0b686d61632d7368613531320000006b0a8ce5012c0040860291e59fcdf90ae0748ffeaff4c86311210d22bb75' +
    '8aa48e59873cef8784c6ee9202a2e3ada170015b5b4c39db8487b8a0ab5e8f228f763eb7187eb23f645df94f00000000',
  'hex',
);
/** kdig 3.2 -y hmac-sha384:rack.example:… rack.example SOA */
const KDIG_384 = Buffer.from(
  '799001200001000000000001047261636b076578616d706c650000060001047261636b076578616d706c650000fa00ff00000000004d0b' +
    '686d61632d7368613338340000006b0a8ce7012c0030ebc7ccdff8d6573b5afd3acd2dbe093be796112820b29415b4e2bc922d2282a42c' +
    '66f64ee6d71032a3b31bde5e60c6cf799000000000',
  'hex',
);
const SIGNED_AT = 0x6b0a8ce4;
const MAC_AT = DIG.length - 6 - 32;
/** Of its TSIG. */
const TTL_AT = 59;

function describeVerdict(verdict: Verdict): string {
  return 'error' in verdict ? `${verdict.kind} ${verdict.error}` : verdict.kind;
}

function changed(bytes: Buffer, at: number, value: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = value;
  return copy;
}

/** The query with its MAC cut to so many octets. */
function truncated(macSize: number): Buffer {
  const cut = Buffer.concat([DIG.subarray(0, MAC_AT + macSize), DIG.subarray(MAC_AT + 32)]);
  cut.writeUInt16BE(macSize, MAC_AT - 2);
  cut.writeUInt16BE(DIG.readUInt16BE(MAC_AT - 25) - 32 + macSize, MAC_AT - 25);
  return cut;
}

describe('the signature of a request', () => {
  const keys = keysOf(XFER, RACK);
  const rows: [name: string, bytes: Buffer, now: number, verdict: string][] = [
    ['of dig', DIG, SIGNED_AT, 'good'],
    ['of dig, by hmac-sha512', DIG_512, SIGNED_AT, 'good'],
    ['that a forwarder gave another ID', changed(DIG, 0, 0x99), SIGNED_AT, 'good'],
    ['in the last second of its time', DIG, SIGNED_AT + 300, 'good'],
    ['a second too late', DIG, SIGNED_AT + 301, 'unfit 18'],
    ['a second too early', DIG, SIGNED_AT - 301, 'unfit 18'],
    ['over a message that was changed', changed(DIG, 14, 0x41), SIGNED_AT, 'unproven 16'],
    ['with a wrong MAC', changed(DIG, MAC_AT, 0), SIGNED_AT, 'unproven 16'],
    ['with a time that was changed', changed(DIG, MAC_AT - 5, 0), SIGNED_AT, 'unproven 16'],
    ['by a key that is not known', changed(DIG, 45, 0x7a), SIGNED_AT, 'unproven 17'],
    ['half a MAC long, which is too short for us', truncated(16), SIGNED_AT, 'unfit 22'],
    ['cut below half', truncated(15), SIGNED_AT, 'malformed'],
    ['without a MAC', truncated(0), SIGNED_AT, 'malformed'],
    ['of a message that is cut off', DIG.subarray(0, -1), SIGNED_AT, 'malformed'],
    ['with a TTL, which nothing vouches for', changed(DIG, TTL_AT + 3, 1), SIGNED_AT, 'malformed'],
    ['in a message that has none', question('rack.example SOA'), SIGNED_AT, 'unsigned'],
  ];
  for (const [name, bytes, now, verdict] of rows) {
    test(`${name} is ${verdict}`, () => assert.equal(describeVerdict(verifyTsig(bytes, keys, now)), verdict));
  }

  test('by hmac-sha384, of kdig, is good', () => {
    const keys384 = keysOf(new TsigSecret('rack.example', 'hmac-sha384', SECRET));
    assert.equal(verifyTsig(KDIG_384, keys384, SIGNED_AT).kind, 'good');
  });

  test('by the right key and another algorithm than is agreed is that of a bad key', () => {
    assert.equal(describeVerdict(verifyTsig(KDIG_384, keys, SIGNED_AT)), 'unproven 17');
  });

  test('is read with a key name that is compressed, as BIND may write it', () => {
    const bytes = Buffer.concat([question('xfer.example SOA'), Buffer.from([0xc0, 12]), DIG.subarray(55)]);
    bytes.writeUInt16BE(1, 10);
    assert.equal(readTsig(bytes, findTsig(bytes) ?? 0).key, XFER.name);
  });
});

describe('the signature of an answer', () => {
  const now = SIGNED_AT + 1;
  const request = readTsig(DIG, findTsig(DIG) ?? 0);

  test('covers the request, and is good for who knows its MAC alone', () => {
    const signer = new TsigSigner(XFER, request.mac);
    const answer = Buffer.alloc(600);
    const length = signer.sign(answer, question('rack.example SOA').copy(answer), now);
    const signed = answer.subarray(0, length);
    assert.ok(length - question('rack.example SOA').length <= signer.size);
    assert.equal(describeVerdict(verifyTsig(signed, keysOf(XFER), now, request.mac)), 'good');
    assert.equal(describeVerdict(verifyTsig(signed, keysOf(XFER), now)), 'unproven 16');
  });

  test('of each message of a transfer covers the one before it', () => {
    const signer = new TsigSigner(XFER, request.mac);
    const messages = ['one', 'two'].map((name) => {
      const bytes = Buffer.alloc(600);
      return bytes.subarray(0, signer.sign(bytes, question(`${name} A`).copy(bytes), now));
    });
    const [first, second] = messages.map((bytes) => readTsig(bytes, findTsig(bytes) ?? 0).mac);
    const timers = Buffer.from([0, 0, ...Buffer.from(now.toString(16), 'hex'), 1, 0x2c]);
    const parts = [Buffer.from([0, 32]), first ?? timers, question('two A'), timers];
    assert.ok(XFER.isMac(second ?? timers, parts));
  });

  test('to a request at the wrong time has its time, and tells ours', () => {
    const other = Buffer.from([0, 0, 0x6b, 0x0a, 0x99, 0x99]);
    const fault = { error: TSIG_ERROR.BADTIME, timeSigned: request.timeSigned, other };
    const answer = Buffer.alloc(600);
    const length = new TsigSigner(XFER, request.mac, fault).sign(answer, question('a A').copy(answer), now);
    const tsig = readTsig(answer, findTsig(answer.subarray(0, length)) ?? 0);
    assert.deepEqual([tsig.error, tsig.timeSigned, Buffer.from(tsig.other)], [18, SIGNED_AT, other]);
    assert.equal(describeVerdict(verifyTsig(answer.subarray(0, length), keysOf(XFER), SIGNED_AT, request.mac)), 'good');
  });

  test('to a request that proves nothing is none', () => {
    const answer = Buffer.alloc(600);
    const start = question('a A').copy(answer);
    const length = writeUnsignedFault(request, TSIG_ERROR.BADSIG, answer, start);
    const tsig = readTsig(answer, findTsig(answer.subarray(0, length)) ?? 0);
    assert.deepEqual([tsig.error, tsig.mac.length, tsig.key], [16, 0, XFER.name]);
    assert.ok(length - start <= unsignedFaultSize(request));
  });
});

test('a secret prints as nothing but its names', () => {
  assert.ok(!JSON.stringify(XFER).includes('secret'));
});

test('any bytes have a signature that is good, bad or none', () => {
  const keys = keysOf(XFER, RACK);
  const seeds = [DIG, DIG_512, KDIG_384, question('rack.example SOA')];
  fuzz({
    seeds,
    rounds: Number(process.env['RACKBOOT_FUZZ_ROUNDS'] ?? 200_000),
    run: (bytes) => {
      if (verifyTsig(bytes, keys, SIGNED_AT).kind === 'good') assert.ok(seeds.some((seed) => saysTheSame(bytes, seed)));
      const start = findTsig(bytes);
      if (start === undefined) throw new WireError('no TSIG');
      readTsig(bytes, start);
    },
  });
});

/**
 * Whether a message is another one but for its ID, which TSIG has in itself (RFC 8945 §4.2), how the names of its TSIG are
 * spelled, which are digested in lower case (§4.3.3), and what stands behind its end.
 */
function saysTheSame(bytes: Uint8Array, seed: Uint8Array): boolean {
  const [start, seedStart] = [findTsig(bytes) ?? 0, findTsig(seed) ?? 0];
  if (start === 0 || Buffer.compare(bytes.subarray(2, start), seed.subarray(2, seedStart)) !== 0) return false;
  return isDeepStrictEqual(plain(readTsig(bytes, start)), plain(readTsig(seed, seedStart)));
}

function plain(tsig: Tsig): object {
  return { ...tsig, mac: Buffer.from(tsig.mac), other: Buffer.from(tsig.other) };
}
