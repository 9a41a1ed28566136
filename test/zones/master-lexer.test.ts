import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { MasterLexer, type Entry } from '../../src/zones/master-lexer.ts';

function entriesOf(text: string): Entry[] {
  const lexer = new MasterLexer(text);
  const entries: Entry[] = [];
  for (let entry = lexer.next(); entry; entry = lexer.next()) entries.push(entry);
  return entries;
}

/** Words of each entry with their lines; a blank in front of what is indented, quotes around what was quoted. */
function shown(text: string): string[] {
  return entriesOf(text).map(({ words, isIndented, fault }) => {
    const texts = words.map(({ text: word, isQuoted, line }) => `${isQuoted ? `"${word}"` : word}@${line}`);
    const trouble = fault ? [`!${fault.line} ${fault.error.message}`] : [];
    return `${isIndented ? ' ' : ''}${[...texts, ...trouble].join(' ')}`;
  });
}

describe('the text of a master file', () => {
  const cut: readonly (readonly [title: string, text: string, ...entries: string[]])[] = [
    ['nothing', ''],
    ['blanks and comments only', '\n \t\n; x\n  ; y'],
    ['a line is an entry', 'a b\nc d\n', 'a@1 b@1', 'c@2 d@2'],
    ['the last needs no end', 'a b', 'a@1 b@1'],
    ['CR LF ends a line', 'a b\r\nc\r\n', 'a@1 b@1', 'c@2'],
    ['tabs and blanks part words', 'a\t  b \t', 'a@1 b@1'],
    ['a blank in front is told', ' a\n\tb\nc', ' a@1', ' b@2', 'c@3'],
    ['a comment needs no blank before it', 'a;b c\nd', 'a@1', 'd@2'],
    ['parentheses join lines', 'a (b\n c ; x\n) d\ne', 'a@1 b@1 c@2 d@3', 'e@4'],
    ['parentheses may be nested', 'a ((b)\n(c)) d', 'a@1 b@1 c@2 d@2'],
    ['parentheses part words', 'a(b)c', 'a@1 b@1 c@1'],
    ['quotes hold blanks and what is special', '"a ;()b"', '"a ;()b"@1'],
    ['quotes hold an escaped quote', String.raw`"a\"b\\" c`, String.raw`"a\"b\\"@1 c@1`],
    ['a quote ends a word', 'a"b c"d', 'a@1 "b c"@1 d@1'],
    ['the value of a parameter may be quoted', 'a="b c" d', 'a="b c"@1 d@1'],
    ['what is escaped is of the word', String.raw`a\ b\;c\"d\(e f`, String.raw`a\ b\;c\"d\(e@1 f@1`],
    ['a backslash does not reach over the line', 'a\\\nb', 'a\\@1', 'b@2'],
    ['a byte order mark is no word', '\u{ef}\u{bb}\u{bf}a', 'a@1'],
    ['any octet but these is part of a word', 'a\u{e4}\u{0}\u{ff}', 'a\u{e4}\u{0}\u{ff}@1'],
  ];
  for (const [title, text, ...entries] of cut) test(title, () => assert.deepEqual(shown(text), entries));
});

describe('a fault in the text is told with its line, and what follows is read', () => {
  const faulty: readonly (readonly [text: string, ...entries: string[]])[] = [
    ['a ) b\nc', 'a@1 !1 expected a ( before it, found )', 'c@2'],
    ['a (b\nc', 'a@1 b@1 c@2 !2 expected a ) for the ( on line 1, found the end of the file'],
    ['a "b\nc', 'a@1 !1 expected a quote that closes on its line, found the end of the line', 'c@2'],
    ['a "b', 'a@1 !1 expected a quote that closes on its line, found the end of the line'],
    ['a "b\\\nc', 'a@1 !1 expected a quote that closes on its line, found the end of the line', 'c@2'],
    ['a b="c\nd', 'a@1 !1 expected a quote that closes on its line, found the end of the line', 'd@2'],
  ];
  for (const [text, ...entries] of faulty) test(JSON.stringify(text), () => assert.deepEqual(shown(text), entries));
});
