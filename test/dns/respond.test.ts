import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { decode } from 'dns-packet';

import type { Tally } from '../../src/dns/tally.ts';
import { parseHex } from '../fixtures/hex.ts';
import { fuzz } from '../wire/fuzz.ts';
import { describeReply, question } from './ask.ts';
import { planOf } from './plan-of.ts';
import { rackNamesOf } from './rack-names-of.ts';
import { responderOf, STRANGER } from './responder-of.ts';

const names = rackNamesOf();
names.apply(planOf({ subnets: ['10.1.0.0/16 rack.example 10.1.0.1'], hosts: ['node1 10.1.2.3'] }));

function exchange(bytes: Uint8Array): { readonly reply: Uint8Array; readonly tally: Tally } {
  const { exchange: send, tally } = responderOf(names.zones);
  return { reply: send(bytes), tally };
}

describe('a message', () => {
  const QUESTION = '05 6e6f646531 04 7261636b 07 6578616d706c65 00 0001 0001';
  const rows: [title: string, message: string, reply: string][] = [
    ['of no bytes gets no reply', '', ''],
    ['of half a header gets no reply', '1234 0100 0001', ''],
    ['that is a response gets no reply', `1234 8180 0001 0000 0000 0000 ${QUESTION}`, ''],
    ['that is a broken response gets no reply', '1234 8180 0001 0000 0000 0000', ''],
    ['of opcode STATUS is not implemented', '1234 1000 00*8', '1234 9004 00*8'],
    [
      'of opcode NOTIFY is not implemented',
      `1234 2400 0001 0000 0000 0000 ${QUESTION}`,
      `1234 a004 0001 00*6 ${QUESTION}`,
    ],
    [
      'of opcode UPDATE is not implemented',
      `1234 2900 0001 0000 0000 0000 ${QUESTION}`,
      `1234 a904 0001 00*6 ${QUESTION}`,
    ],
    [
      'of opcode UPDATE with EDNS is told so with EDNS',
      `1234 2800 0001 0000 0000 0001 ${QUESTION} 00 0029 0000 00000000 0000`,
      `1234 a804 0001 0000 0000 0001 ${QUESTION} 00 0029 04d0 00000000 0000`,
    ],
    ['of opcode 15 is not implemented', '1234 7800 00*8', '1234 f804 00*8'],
    ['of a header alone is a format error', '1234 0100 00*8', '1234 8101 00*8'],
    ['without its question is a format error', '1234 0000 0001 0000 0000 0000', '1234 8001 00*8'],
    ['with two questions is a format error', `1234 0100 0002 0000 0000 0000 ${QUESTION} ${QUESTION}`, '1234 8101 00*8'],
    ['with a pointer for a name is a format error', '1234 0100 0001 0000 0000 0000 c00c 0001 0001', '1234 8101 00*8'],
    [
      'with two OPTs is a format error',
      `1234 0100 0001 0000 0000 0002 ${QUESTION} 00 0029 04d0 00*6 00 0029 04d0 00*6`,
      '1234 8101 00*8',
    ],
    [
      'that asks for an address gets it',
      `1234 0120 0001 0000 0000 0000 ${QUESTION}`,
      `1234 8500 0001 0001 0000 0000 ${QUESTION} c00c 0001 0001 0000012c 0004 0a010203`,
    ],
  ];
  for (const [title, message, reply] of rows) {
    test(title, () => assert.deepEqual(Buffer.from(exchange(parseHex(message)).reply), Buffer.from(parseHex(reply))));
  }
});

describe('what is counted', () => {
  const rows: [title: string, message: Uint8Array, counters: Record<string, number>][] = [
    ['an answer', question('node1.rack.example A'), { 'type.A': 1, 'rcode.NOERROR': 1 }],
    ['a name that is not there', question('x.rack.example AAAA'), { 'type.AAAA': 1, 'rcode.NXDOMAIN': 1 }],
    ['an unknown version', question('x.rack.example A', { edns: { version: 9 } }), { 'type.A': 1, 'rcode.BADVERS': 1 }],
    ['a format error', parseHex('00*12'), { 'rcode.FORMERR': 1 }],
    ['another opcode', parseHex('0000 2800 00*8'), { 'rcode.NOTIMP': 1 }],
    ['a response', parseHex('0000 8000 00*8'), { 'dropped.response': 1 }],
    ['a scrap', parseHex('00'), { 'dropped.short': 1 }],
  ];
  for (const [title, message, counters] of rows) {
    test(title, () => {
      assert.deepEqual(exchange(message).tally.counters(), { received: 1, lost: 0, ...counters });
    });
  }
});

test('any bytes get a reply that a client can read, or none', () => {
  const seeds = [
    question('node1.rack.example A', { edns: {} }),
    question('NODE1.rack.example ANY'),
    question('a.b.c.rack.example A', { edns: { dnssecOk: true } }),
    question('3.2.1.10.in-addr.arpa PTR', { recursion: true }),
    question('2.1.10.in-addr.arpa PTR'),
    question('example.com A', { edns: { version: 1 } }),
    parseHex('1234 0100 0001 0000 0001 0001 00 0006 0001 c00c 0006 0001 00000000 0001 ff 00 0029 04d0 00000000 0000'),
  ];
  const into = Buffer.alloc(1232);
  const { responder } = responderOf(names.zones);
  let replies = 0;
  fuzz({
    seeds,
    run: (bytes) => {
      const length = responder.respond(bytes, STRANGER, into);
      if (length === 0) return;
      assert.ok(length >= 12 && length <= 1232 && into[0] === bytes[0] && into[1] === bytes[1]);
      // An independent decoder reads a sample of them; it is far slower than what it checks
      if (replies++ % 16 === 0) decode(into.subarray(0, length));
    },
  });
  assert.ok(replies > 0);
});

test('the reply to a damaged message still has its id', () => {
  assert.deepEqual(describeReply(exchange(parseHex('abcd 0100 00*8')).reply), ['FORMERR qr rd']);
});
