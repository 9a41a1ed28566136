import assert from 'node:assert/strict';
import { test } from 'node:test';

import { plainLine } from '../../src/api-client/plain-text.ts';
import { bytesOf, shownReply } from '../../src/api-client/reply-text.ts';

const BELL_JSON = '{"a":"\u009b31m\u007f\u202e\u{e0041}é"}';
const REPLIES: readonly (readonly [
  title: string,
  type: string,
  body: string,
  piped: string,
  shown: string | undefined,
])[] = [
  ['JSON is laid out', 'application/json', '[1]', '[\n    1\n]\n', '[\n    1\n]'],
  ['JSON with a charset, too', 'Application/JSON; charset=utf-8', '[1]', '[\n    1\n]\n', '[\n    1\n]'],
  ['what says it is JSON and is none stays as it is', 'application/json', '[1', '[1', '[1'],
  ['text stays as it is', 'text/plain', 'OK', 'OK', 'OK'],
  ['JSON that says it is text stays as it is', 'text/plain', '[1]', '[1]', '[1]'],
  ['a line ends where it ended', 'text/plain', 'a\r\nb\r\n', 'a\r\nb\r\n', 'a\nb'],
  ['nothing is nothing', '', '', '', ''],
  ['text moves no cursor', 'text/plain', '\u001b[2Ja\rb\tc', '\u001b[2Ja\rb\tc', '\ufffd[2Ja\ufffdb\tc'],
  [
    'JSON moves no cursor, and says the same',
    'application/json',
    BELL_JSON,
    `{\n    "a": "\u009b31m\u007f\u202e\u{e0041}é"\n}\n`,
    String.raw`{
    "a": "\u009b31m\u007f\u202e\udb40\udc41é"
}`,
  ],
  ['what has a NUL is no text', 'text/plain', 'a\0b', 'a\0b', undefined],
];
for (const [title, type, body, piped, shown] of REPLIES) {
  test(title, () => {
    const reply = { type, body: Buffer.from(body) };
    assert.equal(Buffer.from(bytesOf(reply)).toString('utf8'), piped);
    assert.equal(shownReply(reply), shown);
  });
}

test('what is no UTF-8 goes to a program to the byte, and to no terminal', () => {
  const reply = { type: 'application/json', body: Uint8Array.of(0x5b, 0xff, 0x5d) };
  assert.deepEqual(bytesOf(reply), reply.body);
  assert.equal(shownReply(reply), undefined);
});

test('a line of what a server says is one line, and ends', () => {
  assert.equal(plainLine(' a\r\n b\u001b[1m '), 'a b\ufffd[1m');
  assert.equal(plainLine('x'.repeat(300), 10), 'xxxxxxxxx…');
});
