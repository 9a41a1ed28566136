import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { AddressSet } from '../../src/dns/address-set.ts';
import type { RespondSettings } from '../../src/dns/respond.ts';
import { parseCidr, type Cidr } from '../../src/addr/cidr.ts';
import { nameKey } from '../../src/wire/dns/name.ts';
import { compileRecords } from '../../src/wire/dns/record-set.ts';
import { describeReply, question } from './ask.ts';
import { rackNamesOf } from './rack-names-of.ts';
import { planOf } from './plan-of.ts';
import { clientAt, responderOf, STREAM } from './responder-of.ts';

const names = rackNamesOf();
names.apply(
  planOf({
    subnets: ['192.0.2.0/24 rack.example 192.0.2.1'],
    hosts: ['a 192.0.2.5', 'b 192.0.2.6'],
  }),
);
names.zones
  .find(nameKey('rack.example'))
  ?.put(nameKey('*.wild.rack.example'), compileRecords(60, { type: 'A', data: '192.0.2.9' }));

const LIMIT = { responses: 2, windowSeconds: 5, slip: 2 };

/** What becomes of each question: its response code with flags, or "-" for none. */
function ask(settings: Partial<RespondSettings> = { rateLimit: LIMIT }) {
  let now = 1000;
  const { exchange, tally } = responderOf(names.zones, settings, { now: () => now, monotonic: () => now });
  return {
    tally,
    later: (milliseconds: number): void => void (now += milliseconds),
    of: (line: string, from = '203.0.113.9'): string => {
      const reply = exchange(question(line), clientAt(from));
      return reply.length === 0 ? '-' : (describeReply(reply)[0] ?? '');
    },
    raw: exchange,
  };
}

const OK = 'NOERROR qr aa';
const CUT = 'NOERROR qr aa tc';

describe('replies of one kind to one network', () => {
  test('are limited: each second so many, and of what is too much every other one is cut', () => {
    const { of, later } = ask();
    assert.deepEqual(
      Array.from({ length: 6 }, () => of('a.rack.example A')),
      [OK, OK, '-', CUT, '-', CUT],
    );
    later(5_000);
    assert.deepEqual([of('a.rack.example A'), of('a.rack.example A'), of('a.rack.example A')], [OK, OK, '-']);
  });

  test('are counted by network, not by address', () => {
    const { of } = ask();
    const froms = ['203.0.113.1', '203.0.113.200', '203.0.113.3', '203.0.112.3'];
    assert.deepEqual(
      froms.map((from) => of('a.rack.example A', from)),
      [OK, OK, '-', OK],
    );
  });

  test('are limited for as long as the flood goes on, and a little longer', () => {
    const { of, later } = ask({ rateLimit: { ...LIMIT, slip: 0 } });
    for (let i = 0; i < 1000; i++) of('a.rack.example A');
    later(4_000);
    assert.equal(of('a.rack.example A'), '-');
    later(5_000);
    assert.equal(of('a.rack.example A'), OK);
  });

  const together: [title: string, questions: string[], third: string][] = [
    ['answers of one name', ['a.rack.example A', 'a.rack.example A', 'a.rack.example A'], '-'],
    ['answers of several names, each for itself', ['a.rack.example A', 'a.rack.example A', 'b.rack.example A'], OK],
    ['names of a zone that are not there', ['x.rack.example A', 'y.rack.example A', 'z.rack.example A'], '-'],
    [
      'names of several zones',
      ['x.rack.example A', 'y.rack.example A', '9.2.0.192.in-addr.arpa PTR'],
      'NXDOMAIN qr aa',
    ],
    ['what is made of a wildcard', ['x.wild.rack.example A', 'y.wild.rack.example A', 'z.wild.rack.example A'], '-'],
    ['refusals', ['example.com A', 'example.org A', 'example.net A'], '-'],
    [
      'a refusal behind names that are not there',
      ['x.rack.example A', 'y.rack.example A', 'example.net A'],
      'REFUSED qr',
    ],
  ];
  for (const [title, questions, third] of together) {
    test(`are counted together: ${title}`, () => assert.equal(questions.map((line) => ask0(line)).at(-1), third));
    const { of } = ask();
    const ask0 = (line: string): string => of(line);
  }
});

describe('no limit is for', () => {
  const many = Array.from({ length: 10 }, () => 'a.rack.example A');

  test('the machines of the rack', () => {
    const { of } = ask({ rateLimit: LIMIT, unlimited: new AddressSet([parseCidr('192.0.2.0/24') as Cidr]) });
    assert.ok(many.every((line) => of(line, '192.0.2.77') === OK));
    assert.ok(!many.every((line) => of(line, '192.0.3.77') === OK));
  });

  test('who came by TCP', () => {
    const { raw } = ask();
    assert.ok(many.every((line) => raw(question(line), STREAM).length > 12));
  });

  test('who has a good cookie; who has another is sent one, without an answer', () => {
    const { raw, tally } = ask();
    const client = clientAt('203.0.113.9');
    const replies = many.map((line) => raw(withCookie(question(line), Buffer.alloc(8, 1)), client));
    const codes = replies.map((reply) => (reply.length === 0 ? '-' : extendedRcode(reply)));
    assert.deepEqual(codes.slice(0, 6), [0, 0, '-', 23, '-', 23]);
    const cookie = replies[3]?.subarray(-24) ?? assert.fail();
    assert.equal(replies[3]?.readUInt16BE(6), 0);
    assert.ok(many.every((line) => extendedRcode(raw(withCookie(question(line), cookie), client)) === 0));
    const counters = tally.counters();
    const counted = ['rate-limit.cut', 'dropped.rate-limit', 'cookie.client', 'cookie.good', 'rcode.BADCOOKIE'];
    assert.deepEqual(
      counted.map((name) => counters[name]),
      [4, 4, 10, 10, 4],
    );
  });

  test('anybody where there is none', () => {
    const { of } = ask({});
    assert.ok(many.every((line) => of(line) === OK));
  });
});

test('nobody learns by a forged flood from everywhere to be let through without end: the table has its size', () => {
  const { of } = ask();
  for (let i = 0; i < 100_000; i++) of('a.rack.example A', `${10 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}.1`);
  assert.deepEqual(
    Array.from({ length: 4 }, () => of('a.rack.example A')),
    [OK, OK, '-', CUT],
  );
});

function withCookie(query: Buffer, cookie: Uint8Array): Buffer {
  const opt = Buffer.from([0, 0, 41, 4, 208, 0, 0, 0, 0, 0, cookie.length + 4, 0, 10, 0, cookie.length]);
  const message = Buffer.concat([query, opt, cookie]);
  message.writeUInt16BE(1, 10);
  return message;
}

/** OPT with a cookie of 24 octets is the last record. */
function extendedRcode(reply: Buffer): number {
  const ttl = reply.length - 24 - 4 - 6;
  return ((reply[ttl] ?? 0) << 4) | ((reply[3] ?? 0) & 15);
}
