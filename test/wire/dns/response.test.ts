import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { keyText } from '../../../src/wire/dns/name.ts';
import { typeName } from '../../../src/wire/dns/record-type.ts';
import { readResponse } from '../../../src/wire/dns/response.ts';
import { WireError } from '../../../src/wire/wire-error.ts';
import { parseHex } from '../../fixtures/hex.ts';

/** id 1234, QR RD RA; the counts follow. */
const HEAD = '1234 8180';
/** www.example A IN; "www" stands at 12, "example" at 16, the question ends at 29. */
const QUESTION = '03 777777 07 6578616d706c65 00 0001 0001';
const A = '0001 0001 0000012c 0004 c0000201';

function records(hex: string): string[] {
  const { answers, authorities } = readResponse(parseHex(hex));
  return [...answers, ...authorities].map(
    ({ owner, type, ttl, data }) =>
      `${keyText(owner)} ${ttl} ${typeName(type)} ${Buffer.from(data, 'latin1').toString('hex')}`,
  );
}

describe('a response', () => {
  const readable: [title: string, hex: string, ...lines: string[]][] = [
    ['with a pointer for an owner', `${HEAD} 0001 0001 0000 0000 ${QUESTION} c00c ${A}`, 'www.example 300 A c0000201'],
    [
      'with an alias whose target ends in a pointer',
      `${HEAD} 0001 0001 0000 0000 ${QUESTION} c00c 0005 0001 0000003c 0006 03 576562 c010`,
      'www.example 60 CNAME 03576562076578616d706c6500',
    ],
    [
      'with a SOA, both of whose names are compressed',
      `${HEAD} 0001 0000 0001 0000 ${QUESTION} c010 0006 0001 0000003c 001a 01 6e c010 c00c 00000001 00000002 00000003 00000004 00000005`,
      'example 60 SOA 016e076578616d706c650003777777076578616d706c65000000000100000002000000030000000400000005',
    ],
    [
      'with a TTL that is below zero, as zero (RFC 2181 §8)',
      `${HEAD} 0001 0001 0000 0000 ${QUESTION} c00c 0001 0001 80000001 0004 c0000201`,
      'www.example 0 A c0000201',
    ],
    [
      'with a record of another class, which is left out',
      `${HEAD} 0001 0001 0000 0000 ${QUESTION} c00c 0001 0003 0000012c 0004 c0000201`,
    ],
    [
      'with bytes behind its end',
      `${HEAD} 0001 0001 0000 0000 ${QUESTION} c00c ${A} ffff`,
      'www.example 300 A c0000201',
    ],
    [
      'of an unknown type, whose bytes are kept',
      `${HEAD} 0001 0001 0000 0000 ${QUESTION} c00c ff00 0001 00000001 0003 c00cff`,
      'www.example 1 TYPE65280 c00cff',
    ],
  ];
  for (const [title, hex, ...lines] of readable) {
    test(`${title} is read`, () => assert.deepEqual(records(hex), lines));
  }

  test('has its response code in two parts (RFC 6891 §6.1.3)', () => {
    const response = readResponse(parseHex(`1234 8183 0001 0000 0000 0001 ${QUESTION} 00 0029 04d0 01 00 0000 0000`));
    assert.deepEqual([response.rcode, response.extendedRcode, response.hasEdns], [3, 19, true]);
  });

  const hostile: [title: string, hex: string][] = [
    ['a query', `1234 0100 0001 0000 0000 0000 ${QUESTION}`],
    ['two questions', `${HEAD} 0002 0000 0000 0000 ${QUESTION} ${QUESTION}`],
    ['another opcode', `1234 a180 0001 0000 0000 0000 ${QUESTION}`],
    ['a count beyond its end', `${HEAD} 0001 0002 0000 0000 ${QUESTION} c00c ${A}`],
    ['a pointer to itself', `${HEAD} 0001 0001 0000 0000 ${QUESTION} c01d ${A}`],
    ['a pointer forward', `${HEAD} 0001 0001 0000 0000 ${QUESTION} c040 ${A}`],
    ['a pointer into a label that leads back to it', `${HEAD} 0001 0001 0000 0000 ${QUESTION} 01 c0 c01d ${A}`],
    ['data that run past the end', `${HEAD} 0001 0001 0000 0000 ${QUESTION} c00c 0001 0001 0000012c 0005 c0000201`],
    [
      'an alias longer than its data',
      `${HEAD} 0001 0001 0000 0000 ${QUESTION} c00c 0005 0001 0000003c 0003 03 576562 c010`,
    ],
    ['an alias shorter than its data', `${HEAD} 0001 0001 0000 0000 ${QUESTION} c00c 0005 0001 0000003c 0003 c010 ff`],
    ['a SOA without its numbers', `${HEAD} 0001 0001 0000 0000 ${QUESTION} c00c 0006 0001 0000003c 0004 c010 c010`],
    ['a signature without a signer', `${HEAD} 0001 0001 0000 0000 ${QUESTION} c00c 002e 0001 0000003c 0002 0001`],
  ];
  for (const [title, hex] of hostile) {
    test(`with ${title} is refused`, () => assert.throws(() => readResponse(parseHex(hex)), WireError));
  }
});
