import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { faultLines, planOf, SUBNET } from './rack-a1.ts';

const ONE = 'text, or bytes as { hex: "00:04:0a" } (and text that looks like it as { text: … }), 1 to 255 bytes';

/** The identifier's words, what they are as a circuit-id in hex, or which fault they are. */
const SPELLINGS: readonly (readonly [words: string, hex: string | undefined, fault?: string])[] = [
  ['switch7 port 12', '7377697463683720706f7274203132'],
  ['Ärger', 'c38472676572'],
  ['"12"', '3132'],
  ['{ hex: "00:04:00:7F" }', '0004007f'],
  ['{ hex: 0004007f }', '0004007f'],
  ['{ text: "10:12" }', '31303a3132'],
  ['"00:04:00:7f"', undefined, `expected a circuit-id: ${ONE}, found "00:04:00:7f"`],
  ['"0x00:04"', undefined, `expected a circuit-id: ${ONE}, found "0x00:04"`],
  ['""', undefined, `expected a circuit-id: ${ONE}, found ""`],
  ['{ text: x, hex: "00" }', undefined, `expected a circuit-id: ${ONE}, found a mapping`],
  ['{}', undefined, `expected a circuit-id: ${ONE}, found a mapping`],
  ['[x]', undefined, `expected a circuit-id: ${ONE}, found a list`],
];

const written = (words: string): string =>
  `${SUBNET}hosts:\n  - { name: a, mac: 52:54:00:00:00:01, circuit-id: ${words} }\n`;

describe('an identifier is text, or bytes that say so', () => {
  for (const [words, hex, fault] of SPELLINGS) {
    test(`${words} is ${hex ?? 'neither'}`, () => {
      if (hex !== undefined) assert.deepEqual(planOf(written(words)).hosts[0]?.circuitIds, [hex]);
      assert.deepEqual(
        faultLines(written(words)).map((line) => line.replace(/^6:52: hosts\[0\]\.circuit-id: /, '')),
        fault === undefined ? [] : [fault],
      );
    });
  }
});

test('a fault inside the mapping is told where it stands', () => {
  assert.deepEqual(faultLines(written('{ hex: xyz }')), [
    '6:59: hosts[0].circuit-id.hex: expected bytes as pairs of hex digits like "0a1bff" or "0a:1b:ff", found xyz',
  ]);
  assert.deepEqual(faultLines(written('{ bytes: "00" }')), [
    '6:54: hosts[0].circuit-id.bytes: expected one of hex, text, found bytes',
  ]);
});

test('a client identifier of text is also that text behind a type of 0', () => {
  const text = `${SUBNET}hosts:\n  - { name: a, client-id: x }\n  - { name: b, client-id: { hex: "0079" } }\n`;
  assert.deepEqual(
    planOf(text).hosts.map(({ clientIds }) => clientIds),
    [['78', '0078'], ['0079']],
  );
});
