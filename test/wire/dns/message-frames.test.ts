import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { MessageFrames } from '../../../src/wire/dns/message-frames.ts';

function framed(message: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([message.length >>> 8, message.length & 255]), message]);
}

const anyMessage = fc.uint8Array({ minLength: 12, maxLength: 700 });

test('messages come out as they went in, wherever the stream is cut', () => {
  fc.assert(
    fc.property(fc.array(anyMessage), fc.array(fc.integer({ min: 1, max: 900 })), (messages, cuts) => {
      const frames = new MessageFrames();
      const got: Buffer[] = [];
      let rest = Buffer.concat(messages.map(framed));
      for (const cut of [...cuts, rest.length]) {
        const piece = Buffer.from(rest.subarray(0, cut));
        rest = rest.subarray(cut);
        assert.equal(
          frames.push(piece, (message) => got.push(Buffer.from(message)) > 0),
          true,
        );
        piece.fill(0xdd);
      }
      assert.deepEqual(
        got,
        messages.map((message) => Buffer.from(message)),
      );
      assert.equal(frames.held, 0);
    }),
  );
});

test('one byte at a time', () => {
  const frames = new MessageFrames();
  const got: string[] = [];
  for (const byte of Buffer.concat([framed(Buffer.alloc(12, 'a')), framed(Buffer.alloc(300, 'b'))])) {
    frames.push(Buffer.from([byte]), (message) => got.push(message.toString()) > 0);
  }
  assert.deepEqual(got, ['a'.repeat(12), 'b'.repeat(300)]);
});

test('the largest message passes, cut or not', () => {
  for (const cut of [1, 2, 3, 40_000, 65_537]) {
    const frames = new MessageFrames();
    const bytes = framed(Buffer.alloc(65_535, 'x'));
    let length = 0;
    const take = (message: Buffer): boolean => (length = message.length) > 0;
    assert.ok(frames.push(bytes.subarray(0, cut), take));
    assert.ok(frames.push(bytes.subarray(cut), take));
    assert.equal(length, 65_535);
  }
});

test('a length without its message keeps what came, and no more', () => {
  const frames = new MessageFrames();
  frames.push(Buffer.from([0xff, 0xff, 1, 2, 3]), () => assert.fail('it is not whole'));
  assert.equal(frames.held, 5);
});

const junk: [name: string, bytes: Buffer][] = [
  ['a length of zero', Buffer.from([0, 0])],
  ['a length below that of a header', Buffer.from([0, 11])],
  ['one behind a good message', Buffer.concat([framed(Buffer.alloc(12)), Buffer.from([0, 3, 1])])],
];
for (const [name, bytes] of junk) {
  test(`${name} is junk, in one piece and byte by byte`, () => {
    assert.equal(
      new MessageFrames().push(bytes, () => true),
      false,
    );
    const frames = new MessageFrames();
    const results = [...bytes].map((byte) => frames.push(Buffer.from([byte]), () => true));
    assert.ok(results.includes(false));
  });
}

test('what comes when it is enough is kept, and goes on when it is not, cut as it may be', () => {
  const frames = new MessageFrames();
  const got: string[] = [];
  let wanted = 1;
  const push = (bytes: Buffer): boolean =>
    frames.push(
      bytes,
      (message) => got.push(message.toString()[0] ?? '') > 0,
      () => got.length >= wanted,
    );
  const bytes = Buffer.concat(['a', 'b', 'c'].map((letter) => framed(Buffer.alloc(20, letter))));
  assert.ok(push(bytes.subarray(0, 50)));
  assert.deepEqual([got, frames.held, frames.hasRest], [['a'], 28, true]);
  wanted = 3;
  assert.ok(push(Buffer.alloc(0)));
  assert.deepEqual([got, frames.held, frames.hasRest], [['a', 'b'], 6, false]);
  assert.ok(push(bytes.subarray(50)));
  assert.deepEqual([got, frames.held], [['a', 'b', 'c'], 0]);
});

test('who does not want the rest gets nothing of it', () => {
  let calls = 0;
  const isGood = new MessageFrames().push(
    Buffer.concat([framed(Buffer.alloc(12)), framed(Buffer.alloc(12))]),
    () => ++calls < 1,
  );
  assert.deepEqual([isGood, calls], [false, 1]);
});
