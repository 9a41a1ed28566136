import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { isWithin, scrub } from '../../../src/dns/forward/scrub.ts';
import { keyText, nameKey } from '../../../src/wire/dns/name.ts';
import { TYPE, typeName } from '../../../src/wire/dns/record-type.ts';
import type { ResourceRecord } from '../../../src/wire/dns/resource-record.ts';

const SOA_DATA = `${nameKey('ns.example')}${nameKey('hm.example')}${'\0'.repeat(20)}`;

/** "www.example A", "www.example CNAME web.example", "www.example RRSIG A example". */
function record(line: string): ResourceRecord {
  const [owner = '', type = '', ...rest] = line.split(' ');
  return { owner: nameKey(owner), type: typeOf(type), ttl: 300, data: dataOf(type, rest) };
}

function typeOf(word: string): number {
  return TYPE[word as keyof typeof TYPE];
}

function dataOf(type: string, [first = '', second = '']: string[]): string {
  if (type === 'SOA') return SOA_DATA;
  if (type === 'RRSIG') return `\0${String.fromCharCode(typeOf(first))}${'\0'.repeat(16)}${nameKey(second)}sig`;
  return first === '' ? '\x01\x02\x03\x04' : nameKey(first);
}

function scrubbed(question: string, dnssecOk: boolean, answers: string[], authorities: string[]): string[] {
  const [name = '', type = ''] = question.split(' ');
  const response = { id: 0, truncated: false, authentic: false, rcode: 0, extendedRcode: 0, hasEdns: true };
  const asked = { key: nameKey(name), type: typeOf(type), dnssecOk };
  const result = scrub(asked, { ...response, answers: answers.map(record), authorities: authorities.map(record) });
  return [...result.answers.map(wordsOf), ...result.authorities.map((one) => `authority ${wordsOf(one)}`)];
}

function wordsOf({ owner, type }: ResourceRecord): string {
  return `${keyText(owner)} ${typeName(type)}`;
}

describe('of a response', () => {
  const rows: [
    title: string,
    question: string,
    dnssecOk: boolean,
    answers: string[],
    authorities: string[],
    kept: string[],
  ][] = [
    [
      'the records asked for are kept',
      'www.example A',
      false,
      ['www.example A', 'www.example A'],
      [],
      ['www.example A', 'www.example A'],
    ],
    [
      'aliases are kept with what they lead to, in any order',
      'www.example A',
      false,
      ['web.other A', 'www.example CNAME cdn.example', 'cdn.example CNAME web.other'],
      [],
      ['web.other A', 'www.example CNAME', 'cdn.example CNAME'],
    ],
    [
      'what nobody asked for is not',
      'www.example A',
      false,
      ['www.example A', 'bank.example A', 'www.example TXT'],
      [],
      ['www.example A'],
    ],
    [
      'an alias of another name is not',
      'www.example A',
      false,
      ['bank.example CNAME evil.example', 'evil.example A'],
      [],
      [],
    ],
    [
      'who asks for the alias gets it alone',
      'www.example CNAME',
      false,
      ['www.example CNAME web.example', 'web.example A'],
      [],
      ['www.example CNAME'],
    ],
    [
      'a DNAME above is kept, one beside is not',
      'a.old.example A',
      false,
      [
        'old.example DNAME new.example',
        'a.old.example CNAME a.new.example',
        'a.new.example A',
        'x.example DNAME y.example',
      ],
      [],
      ['old.example DNAME', 'a.old.example CNAME', 'a.new.example A'],
    ],
    [
      'aliases in a ring end',
      'a.example A',
      false,
      ['a.example CNAME b.example', 'b.example CNAME a.example'],
      [],
      ['a.example CNAME', 'b.example CNAME'],
    ],
    ['delegations are left out', 'www.example A', false, ['www.example A'], ['example NS ns.evil'], ['www.example A']],
    ['the SOA of a "no" is kept', 'no.example A', false, [], ['example SOA'], ['authority example SOA']],
    [
      'that of the last alias is',
      'www.example A',
      false,
      ['www.example CNAME web.other'],
      ['other SOA'],
      ['www.example CNAME', 'authority other SOA'],
    ],
    ['that of a zone elsewhere is not', 'no.example A', false, [], ['evil SOA'], []],
    ['a SOA beside an answer is not', 'www.example A', false, ['www.example A'], ['example SOA'], ['www.example A']],
    [
      'signatures and proofs are for who asks for them',
      'www.example A',
      true,
      ['www.example A', 'www.example RRSIG A example', 'www.example RRSIG TXT example'],
      ['*.example NSEC z.example', '*.example RRSIG NSEC example', 'ns.evil NSEC z.evil'],
      ['www.example A', 'www.example RRSIG', 'authority *.example NSEC', 'authority *.example RRSIG'],
    ],
    [
      'so is the proof of each wildcard that an alias came from, in whatever zone',
      'a.wild.example A',
      true,
      [
        'a.wild.example CNAME www.other',
        'a.wild.example RRSIG CNAME example',
        'www.other A',
        'www.other RRSIG A other',
      ],
      [
        'wild.example NSEC x.example',
        'wild.example RRSIG NSEC example',
        'other NSEC z.other',
        'ns.evil NSEC z.evil',
        'example SOA',
      ],
      [
        'a.wild.example CNAME',
        'a.wild.example RRSIG',
        'www.other A',
        'www.other RRSIG',
        'authority wild.example NSEC',
        'authority wild.example RRSIG',
        'authority other NSEC',
      ],
    ],
    [
      'beside a "no" behind an alias as well',
      'a.wild.example A',
      true,
      ['a.wild.example CNAME no.other', 'a.wild.example RRSIG CNAME example'],
      ['wild.example NSEC x.example', 'other SOA', 'other RRSIG SOA other', 'other NSEC z.other', 'example SOA'],
      [
        'a.wild.example CNAME',
        'a.wild.example RRSIG',
        'authority wild.example NSEC',
        'authority other SOA',
        'authority other RRSIG',
        'authority other NSEC',
      ],
    ],
    [
      'but of no zone that the signed name is outside of',
      'www.example A',
      true,
      ['www.example A', 'www.example RRSIG A evil'],
      ['ns.evil NSEC z.evil'],
      ['www.example A', 'www.example RRSIG'],
    ],
    [
      'and for nobody else',
      'www.example A',
      false,
      ['www.example A', 'www.example RRSIG A example'],
      ['*.example NSEC z.example'],
      ['www.example A'],
    ],
    [
      'but when they are the question',
      'www.example RRSIG',
      false,
      ['www.example RRSIG A example'],
      [],
      ['www.example RRSIG'],
    ],
  ];
  for (const [title, question, dnssecOk, answers, authorities, kept] of rows) {
    test(title, () => assert.deepEqual(scrubbed(question, dnssecOk, answers, authorities), kept));
  }
});

describe('a name', () => {
  const rows: [name: string, zone: string, isInside: boolean][] = [
    ['example', 'example', true],
    ['www.example', 'example', true],
    ['www.example', '.', true],
    ['wwwexample', 'example', false],
    ['example', 'www.example', false],
  ];
  for (const [name, zone, isInside] of rows) {
    test(`${name} is ${isInside ? '' : 'not '}within ${zone}`, () =>
      assert.equal(isWithin(nameKey(name), nameKey(zone)), isInside));
  }

  test('that only ends in the bytes of another is not within it', () => {
    const zone = nameKey('example');
    const name = `\x0aab${zone.slice(0, -1)}\0` as typeof zone;
    assert.equal(isWithin(name, zone), false);
  });
});
