import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { encode } from 'dns-packet';

import { nameKey } from '../../../src/wire/dns/name.ts';
import { decodeHeader, decodeQuery, QueryReader } from '../../../src/wire/dns/query.ts';
import { TYPE } from '../../../src/wire/dns/record-type.ts';
import { WireError } from '../../../src/wire/wire-error.ts';
import { parseHex } from '../../fixtures/hex.ts';

/** id 1234, RD; the counts follow. */
const RD = '1234 0100';
/** Node1.rack.example A IN */
const QUESTION = '05 4e6f646531 04 7261636b 07 6578616d706c65 00 0001 0001';
/** Root, OPT, 4096 bytes, extended rcode 0, version 0, DO, no data. */
const OPT = '00 0029 1000 00 00 8000 0000';

const PLAIN = { wantsNsid: false, wantsKeepalive: false, cookieAt: 0, cookieLength: 0 };

describe('a query', () => {
  test('is read with its question', () => {
    const bytes = parseHex(`${RD} 0001 0000 0000 0000 ${QUESTION}`);
    const { header, questions, questionEnd, key, type, class: kind, edns, tsigAt } = decodeQuery(bytes);
    assert.deepEqual(header, { id: 0x1234, response: false, opcode: 0, recursionDesired: true });
    assert.deepEqual([questions, questionEnd, key], [1, bytes.length, nameKey('node1.rack.example')]);
    assert.deepEqual([type, kind, edns, tsigAt], [TYPE.A, 1, undefined, -1]);
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
      { udpSize: 1232, version: 0, dnssecOk: false, cookieAt: 51, cookieLength: 8 },
    ],
    [
      'options nobody knows, and a wish for the name of the server and the time of the connection',
      `${RD} 0001 0000 0000 0001 ${QUESTION} 00 0029 04d0 00 00 0000 000e fde9 0002 ffff 0003 0000 000b 0000`,
      { udpSize: 1232, version: 0, dnssecOk: false, wantsNsid: true, wantsKeepalive: true },
    ],
    [
      'records before OPT, owned by a pointer to the question (IXFR, TSIG)',
      `${RD} 0001 0000 0001 0002 ${QUESTION} c00c 0006 0001 00000000 0001 ff ${OPT} c00c 00fa 00ff 00000000 0000`,
      { udpSize: 4096, version: 0, dnssecOk: true },
    ],
    ['bytes behind the last record', `${RD} 0001 0000 0000 0000 ${QUESTION} 00*40`, undefined],
  ];
  for (const [title, hex, edns] of readable) {
    test(`${title} can be read`, () => assert.deepEqual(ednsOf(hex), edns && { ...PLAIN, ...edns }));
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
    ['TSIG before another record', `${RD} 0001 0000 0000 0002 ${QUESTION} c00c 00fa 00ff 00000000 0000 ${OPT}`],
    ['TSIG as an answer', `${RD} 0001 0001 0000 0000 ${QUESTION} c00c 00fa 00ff 00000000 0000`],
    ['half an EDNS option', `${RD} 0001 0000 0000 0001 ${QUESTION} 00 0029 04d0 00 00 0000 0003 000300`],
    ['an EDNS option past the end', `${RD} 0001 0000 0000 0001 ${QUESTION} 00 0029 04d0 00 00 0000 0005 0003 0002 ff`],
    ...[0, 7, 9, 15, 41].map((length): [string, string] => [
      `a cookie of ${length} bytes`,
      `${RD} 0001 0000 0000 0001 ${QUESTION} 00 0029 04d0 00 00 0000 00${octet(length + 4)} 000a 00${octet(length)} 07*${length}`,
    ]),
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

test('a cookie may be fetched without a question (RFC 7873 §5.4)', () => {
  const query = decodeQuery(parseHex('0001 0000 0000 0000 0000 0001 00 0029 04d0 00000000 000c 000a 0008 07*8'));
  assert.deepEqual([query.questions, query.questionEnd, query.edns?.cookieLength], [0, 12, 8]);
});

test('what was read before leaves nothing behind', () => {
  const reader = new QueryReader();
  for (const hex of [
    `${RD} 0001 0000 0000 0001 ${QUESTION} 00 0029 04d0 00 00 8000 0010 000a 0008 07*8 0003 0000`,
    `${RD} 0001 0000 0000 0001 ${QUESTION} 00 0029 04d0 00 00 0000 0000`,
  ]) {
    reader.readHeader(parseHex(hex));
    reader.readRest();
  }
  assert.deepEqual(reader.edns, {
    ...PLAIN,
    udpSize: 1232,
    version: 0,
    dnssecOk: false,
    cookieAt: reader.edns?.cookieAt ?? 0,
  });
});

function ednsOf(hex: string): object | undefined {
  const { edns } = decodeQuery(parseHex(hex));
  return edns && { ...edns };
}

function octet(value: number): string {
  return value.toString(16).padStart(2, '0');
}

describe('a header', () => {
  test('tells response and opcode', () => {
    const header = decodeHeader(parseHex('0001 a800 00*8'));
    assert.deepEqual(header, { id: 1, response: true, opcode: 5, recursionDesired: false });
  });
});
