import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as fc from 'fast-check';

import { grubParameters, grubWord, isSpoiltByGrub } from '../../src/boot/grub-words.ts';

/** How GRUB 2.06 reads a word: single quotes keep all, a backslash outside of them keeps one character. */
function asGrubReads(word: string): string {
  let text = '';
  let isQuoted = false;
  for (let i = 0; i < word.length; i++) {
    if (word[i] === "'") isQuoted = !isQuoted;
    else if (!isQuoted && word[i] === '\\') text += word[++i] ?? '';
    else {
      assert.ok(isQuoted, `a bare ${word[i]} in ${word}`);
      text += word[i];
    }
  }
  assert.ok(!isQuoted);
  return text;
}

/** How GRUB joins words for Linux (lib/cmdline.c), as seen in QEMU. */
function asGrubJoins(words: readonly string[]): string {
  return words
    .map((word) => {
      const escaped = word.replaceAll(/\\x[\da-f]{2}|['"\\]/gi, (found) => (found.length > 1 ? found : `\\${found}`));
      return word.includes(' ') ? `"${escaped}"` : escaped;
    })
    .join(' ');
}

/** How Linux splits its command line (lib/cmdline.c, next_arg): double quotes hold blanks, and go. */
function asLinuxReads(line: string): readonly string[] {
  return (line.match(/(?:"[^"]*"|[^\s"])+/g) ?? [])
    .map((word) => word.replaceAll('"', ''))
    .filter((word) => word !== '');
}

describe('words for GRUB', () => {
  const pieces = fc.constantFrom(
    '$',
    '{',
    '}',
    ';',
    '&',
    '|',
    '#',
    '\\',
    "'",
    '"',
    ' ',
    '*',
    '<',
    '>',
    '\n',
    'a',
    '=',
    'é',
  );
  const texts = fc.array(pieces, { maxLength: 24 }).map((all) => all.join(''));

  it('come out of GRUB as they went in, on one line', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const word = grubWord(text);
        assert.ok(!word.includes('\n'));
        assert.equal(asGrubReads(word), text.replaceAll(/\n+/g, ' '));
      }),
      { seed: 20261122, numRuns: 5000 },
    );
  });

  it('come to Linux as the command line means it, unless a quote or backslash is in the way and is told', () => {
    const lines = fc.array(fc.oneof(pieces, fc.constantFrom('x="b c"', ' --- ', '\\x20')), { maxLength: 16 });
    fc.assert(
      fc.property(lines, (all) => {
        const line = all.join('').replaceAll('\n', ' ');
        fc.pre(!isSpoiltByGrub(line));
        assert.deepEqual(asLinuxReads(asGrubJoins(grubParameters(line))), asLinuxReads(line));
      }),
      { seed: 20261122, numRuns: 5000 },
    );
  });

  for (const [line, isSpoilt] of [
    ['console=ttyS0 a=$x {b} ; # *', false],
    ['dyndbg="file a +p"', false],
    ['u=\\x20v', false],
    ["who='me'", true],
    ['path=C:\\x', true],
    ['one="', true],
  ] as const) {
    it(`${isSpoilt ? 'can not' : 'can'} carry ${line}`, () => {
      assert.equal(isSpoiltByGrub(line), isSpoilt);
    });
  }
});
