import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as fc from 'fast-check';

import { ipxeWords } from '../../src/boot/ipxe-words.ts';

const CASES: readonly (readonly [string, string, string])[] = [
  ['leaves ordinary words alone', 'console=ttyS0,115200n8 quiet', 'console=ttyS0,115200n8 quiet'],
  ['makes one blank of white space', '  a \t b  ', 'a b'],
  ['makes a blank of a line break, so that no second command appears', 'a\nreboot\r\nb', 'a reboot b'],
  ['makes a blank of control characters', 'a\0b\u0085c', 'a b c'],
  ['takes the dollar from a variable', 'x=${net0/mac}', 'x={net0/mac}'],
  ['takes every dollar that would do it', '$${a} $${$${b}}', '{a} {{b}}'],
  ['keeps a dollar that means nothing', 'price=$5 $HOME', 'price=$5 $HOME'],
  ['hides words that end a command', 'a || b && c ; d', 'a ${none}|| b ${none}&& c ${none}; d'],
  ['hides a word that begins a comment', 'a #b c', 'a ${none}#b c'],
  ['keeps these characters inside a word', 'a=b;c a#b a||b', 'a=b;c a#b a||b'],
  ['keeps a backslash at the end from joining lines', 'path=C:\\', 'path=C:\\${none}'],
  ['makes nothing of nothing', ' \n ', ''],
];

/** How iPXE reads one line: words at white space, commands at `||` `&&` `;`, comments at `#`, then `${…}` inside words. */
function asIpxeReads(line: string): readonly string[] {
  const words = wordsOf(line);
  const end = words.findIndex((word) => ['||', '&&', ';'].includes(word) || word.startsWith('#'));
  return words.slice(0, end < 0 ? words.length : end).map((word) => word.replaceAll(/\$\{[^{}]*\}/g, ''));
}

function wordsOf(text: string): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

function withoutDollars(words: readonly string[]): string {
  return words.join(' ').replaceAll('$', '');
}

describe('words for iPXE', () => {
  for (const [title, text, expected] of CASES) {
    it(title, () => {
      assert.equal(ipxeWords(text), expected);
    });
  }

  it('come out of iPXE as they went in, but for dollars', () => {
    const piece = fc.constantFrom('$', '{', '}', '||', '&&', ';', '#', '\\', ' ', '\n', '\r', '\t', 'a', '=', 'é');
    const texts = fc.array(piece, { maxLength: 24 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(texts, (text) => {
        const line = ipxeWords(text);
        assert.ok(!/[\r\n]/.test(line));
        assert.ok(!line.endsWith('\\'));
        assert.equal(withoutDollars(asIpxeReads(line)), withoutDollars(wordsOf(text)));
      }),
      { seed: 20261122, numRuns: 5000 },
    );
  });
});
