import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { encode } from 'dns-packet';

import { nameKey } from '../../../src/wire/dns/name.ts';
import { decodeHeader, decodeQuery } from '../../../src/wire/dns/query.ts';
import { TYPE } from '../../../src/wire/dns/record-type.ts';
import { WireError } from '../../../src/wire/wire-error.ts';
import { parseHex } from '../../fixtures/hex.ts';

/** id 1234, RD; the counts follow. */
const RD = '1234 0100';
/** Node1.rack.example A IN */
const QUESTION = '05 4e6f646531 04 7261636b 07 6578616d706c65 00 0001 0001';
/** Root, OPT, 4096 bytes, extended rcode 0, version 0, DO, no data. */
const OPT = '00 0029 1000 00 00 8000 0000';

describe('a query', () => {
  test('is read with its question', () => {
    const bytes = parseHex(`${RD} 0001 0000 0000 0000 ${QUESTION}`);
    const query = decodeQuery(bytes);
    assert.deepEqual(query, {
      header: { id: 0x1234, response: false, opcode: 0, recursionDesired: true },
      bytes,
      questionEnd: bytes.length,
      key: nameKey('node1.rack.example'),
      type: TYPE.A,
      class: 1,
      edns: undefined,
    });
  });

  const readable: [title: string, hex: string, edns: object | undefined][] = [
    ['EDNS', `${RD} 0001 0000 0000 0001 ${QUESTION} ${OPT}`, { udpSize: 4096, version: 0, dnssecOk: true }],
    [
      'an EDNS version to come, and a size of nothing',
      `${RD} 0001 0000 0000 0001 ${QUESTION} 00 0029 0000 00 01 0000 0000`,
      { udpSize: 0, version: 1, dnssecOk: false },
    ],
    [
      'options in OPT (a cookie)',
      `${RD} 0001 0000 0000 0001 ${QUESTION} 00 0029 04d0 00 00 0000 000c 000a 0008 0102030405060708`,
      { udpSize: 1232, version: 0, dnssecOk: false },
    ],
    [
      'records before OPT, owned by a pointer to the question (IXFR, TSIG)',
      `${RD} 0001 0000 0001 0002 ${QUESTION} c00c 0006 0001 00000000 0001 ff  c00c 00fa 00ff 00000000 0000 ${OPT}`,
      { udpSize: 4096, version: 0, dnssecOk: true },
    ],
    ['bytes behind the last record', `${RD} 0001 0000 0000 0000 ${QUESTION} 00*40`, undefined],
  ];
  for (const [title, hex, edns] of readable) {
    test(`${title} can be read`, () => assert.deepEqual(decodeQuery(parseHex(hex)).edns, edns));
  }

  const hostile: [title: string, hex: string][] = [
    ['nothing', ''],
    ['eleven bytes', '00*11'],
    ['no question', `${RD} 0000 0000 0000 0000`],
    ['no question and an OPT', `${RD} 0000 0000 0000 0001 ${OPT}`],
    ['two questions', `${RD} 0002 0000 0000 0000 ${QUESTION} ${QUESTION}`],
    ['65535 questions', `${RD} ffff 0000 0000 0000 ${QUESTION}`],
    ['a name that is a pointer to itself', `${RD} 0001 0000 0000 0000 c00c 0001 0001`],
    ['a name that is a pointer into the header', `${RD} 0001 0000 0000 0000 c000 0001 0001`],
    ['a question without class', `${RD} 0001 0000 0000 0000 01 61 00 0001 00`],
    ['a name and nothing else', `${RD} 0001 0000 0000 0000 01 61 00`],
    ['a record that is not there', `${RD} 0001 0000 0000 0001 ${QUESTION}`],
    ['65535 records that are not there', `${RD} 0001 ffff ffff ffff ${QUESTION} ${OPT}`],
    ['half an OPT', `${RD} 0001 0000 0000 0001 ${QUESTION} 00 0029 1000 00 00`],
    ['OPT data past the end', `${RD} 0001 0000 0000 0001 ${QUESTION} 00 0029 1000 00 00 0000 0001`],
    ['two OPTs', `${RD} 0001 0000 0000 0002 ${QUESTION} ${OPT} ${OPT}`],
    ['OPT as an answer', `${RD} 0001 0001 0000 0000 ${QUESTION} ${OPT}`],
    ['OPT with an owner', `${RD} 0001 0000 0000 0001 ${QUESTION} 01 61 ${OPT}`],
    ['a record owned by a pointer forward', `${RD} 0001 0000 0000 0001 ${QUESTION} c0ff 0001 0001 00000000 0000`],
  ];
  for (const [title, hex] of hostile) {
    test(`${title} is refused`, () => assert.throws(() => decodeQuery(parseHex(hex)), WireError));
  }

  test('is read from the middle of a larger buffer', () => {
    const bytes = parseHex(`ff*7 ${RD} 0001 0000 0000 0000 ${QUESTION} ff*9`).subarray(7, -9);
    assert.equal(decodeQuery(bytes).key, nameKey('node1.rack.example'));
  });

  test('of an independent encoder is understood', () => {
    const bytes = encode({ id: 7, questions: [{ name: 'a.b.c', type: 'PTR' }] });
    const query = decodeQuery(bytes);
    assert.deepEqual([query.header.id, query.key, query.type], [7, nameKey('a.b.c'), TYPE.PTR]);
  });
});

describe('a header', () => {
  test('tells response and opcode', () => {
    const header = decodeHeader(parseHex('0001 a800 00*8'));
    assert.deepEqual(header, { id: 1, response: true, opcode: 5, recursionDesired: false });
  });
});
