import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assert as forAll, property, uint8Array } from 'fast-check';
import { toNetascii } from '../../src/tftp/netascii.ts';

const cases = [
  { title: 'a text without line ends stays', text: 'kernel', converted: 'kernel' },
  { title: 'nothing stays nothing', text: '', converted: '' },
  { title: 'LF becomes CR LF', text: 'a\nb\n', converted: 'a\r\nb\r\n' },
  { title: 'CR becomes CR NUL', text: 'a\rb', converted: 'a\r\0b' },
  { title: 'CR LF becomes CR NUL CR LF, so that it comes back as it was', text: 'a\r\n', converted: 'a\r\0\r\n' },
];

for (const { title, text, converted } of cases) {
  test(title, () => {
    assert.equal(Buffer.from(toNetascii(Buffer.from(text))).toString(), converted);
  });
}

test('any bytes come back as they were at a client that converts them the other way', () => {
  forAll(
    property(uint8Array(), (bytes) => {
      const travelled = Buffer.from(toNetascii(bytes)).toString('latin1');
      const back = travelled.replaceAll(/\r([\n\0])/g, (_, second) => (second === '\n' ? '\n' : '\r'));
      assert.equal(back, Buffer.from(bytes).toString('latin1'));
    }),
  );
});
