import assert from 'node:assert/strict';
import { test } from 'node:test';

import { plainText } from '../../src/wire/plain-text.ts';

const TEXTS: readonly (readonly [title: string, text: string, plain: string])[] = [
  ['what is plain', 'café/vmlinuz 5.10~rc1', 'café/vmlinuz 5.10~rc1'],
  ['an escape sequence', '\u{1b}[2J\u{1b}]0;title\u{7}', '\u{fffd}[2J\u{fffd}]0;title\u{fffd}'],
  ['an escape sequence of one character', '\u{9b}31mred', '\u{fffd}31mred'],
  ['a line that is made up', 'gone\nTROUBLE all is lost', 'gone TROUBLE all is lost'],
  ['breaks of lines in other scripts', 'a\u{2028}b\u{2029}cd', 'a b cd'],
  ['a turn of the direction of writing', 'txt.\u{202e}ife', 'txt.\u{fffd}ife'],
  ['half a character', 'a\u{d800}', 'a\u{fffd}'],
];

for (const [title, text, plain] of TEXTS) {
  test(`${title} is shown as it is, or as nothing that steers`, () => assert.equal(plainText(text), plain));
}
