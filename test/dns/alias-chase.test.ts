import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { encode } from 'dns-packet';

import { AddressSet } from '../../src/dns/address-set.ts';
import type { DnsClient } from '../../src/dns/dns-client.ts';
import type { ForwardDesk } from '../../src/dns/forward-desk.ts';
import { keepAsked } from '../../src/dns/reply-options.ts';
import { ZoneSet } from '../../src/dns/zone-set.ts';
import { keyText } from '../../src/wire/dns/name.ts';
import { decodeQuery, type DnsQuery } from '../../src/wire/dns/query.ts';
import { describeReply, question } from './ask.ts';
import { clientAt, responderOf } from './responder-of.ts';
import { zoneOfText } from './zone-of-text.ts';

const zones = new ZoneSet();
zones.add(
  zoneOfText(
    'one.test',
    'out CNAME far',
    'far CNAME host.example.',
    'into CNAME x.sub',
    'sub NS ns.sub',
    'ns.sub A 192.0.2.4',
  ),
);
const OURS = { network: clientAt('192.0.2.0').address, prefix: 24 };
const MACHINE = clientAt('192.0.2.77');

/** Knows addresses of some names, at once or when `tell` is called. */
class Others implements ForwardDesk {
  readonly asked: string[] = [];
  readonly #isLate: boolean;
  readonly #addresses: number;
  tell: () => void = () => assert.fail('nothing was asked');

  constructor(isLate: boolean, addresses = 1) {
    this.#isLate = isLate;
    this.#addresses = addresses;
  }

  ask(query: DnsQuery, client: DnsClient, into: Buffer): number {
    const name = keyText(query.key);
    this.asked.push(`${name} ${query.type} from ${client.port}`);
    const answers = Array.from(
      { length: this.#addresses },
      (_, i) => ({ type: 'A', name, ttl: 7, data: `198.51.100.${i}` }) as const,
    );
    const reply = encode({ type: 'response', id: query.header.id, questions: [{ name, type: 'A' }], answers });
    if (!this.#isLate) return reply.copy(into);
    const later = client.later();
    this.tell = () => later(reply);
    return 0;
  }
}

function rig(isLate: boolean, addresses = 1) {
  const own = new AddressSet([OURS]);
  const { responder, exchange } = responderOf(zones, { recursion: own, unlimited: own, nsid: 'rack-a1' });
  const others = new Others(isLate, addresses);
  responder.forwarder = others;
  return { others, exchange };
}

const WHOLE = [
  'answer out.one.test 60 CNAME far.one.test',
  'answer far.one.test 60 CNAME host.example',
  'answer host.example 7 A 198.51.100.0',
];

/** A query whose OPT, the last of it, has these options. */
function withOptions(query: Buffer, options: Buffer): Buffer {
  const longer = Buffer.concat([query, options]);
  longer.writeUInt16BE(options.length, query.length - 2);
  return longer;
}

describe('an alias of ours for a name of others', () => {
  test('is answered whole to a machine of ours that asks for all of it', () => {
    const { others, exchange } = rig(false);
    const lines = describeReply(exchange(question('out.one.test A', { recursion: true }), MACHINE));
    assert.deepEqual(lines, ['NOERROR qr aa rd ra', 'question out.one.test A', ...WHOLE]);
    assert.deepEqual(others.asked, ['host.example 1 from 4000']);
  });

  test('is answered when the others did, with EDNS as it was asked, whatever came in between', () => {
    const { others, exchange } = rig(true);
    const told: Buffer[] = [];
    const client: DnsClient = { ...MACHINE, later: () => (reply) => void told.push(Buffer.from(reply)) };
    const query = question('out.one.test A', { recursion: true, edns: { dnssecOk: true } });
    assert.equal(exchange(query, client).length, 0);
    query.fill(0xdd);
    exchange(question('sub.one.test A'), clientAt('203.0.113.1'));
    others.tell();
    const opt = 'additional OPT size 1232 rcode 0 version 0 do';
    const [reply] = told;
    assert.deepEqual(describeReply(reply ?? Buffer.alloc(0)), [
      'NOERROR qr aa rd ra',
      'question out.one.test A',
      ...WHOLE,
      opt,
    ]);
  });

  test('keeps nothing of a query but its question, and its cookie where that is near, however long the query is', () => {
    const cookie = Buffer.from('000a00080102030405060708', 'hex');
    const padding = Buffer.concat([Buffer.from([0, 12, 60_000 >>> 8, 60_000 & 255]), Buffer.alloc(60_000)]);
    for (const [options, kept, echo] of [
      [[cookie, padding], 53, true],
      [[padding, cookie], 30, false],
    ] as const) {
      const query = withOptions(question('out.one.test A', { recursion: true, edns: {} }), Buffer.concat(options));
      assert.equal(keepAsked(decodeQuery(query)).bytes.length, kept);
      const { others, exchange } = rig(true);
      const told: Buffer[] = [];
      assert.equal(
        exchange(query, { ...MACHINE, later: () => (reply) => void told.push(Buffer.from(reply)) }).length,
        0,
      );
      others.tell();
      assert.deepEqual(describeReply(told[0] ?? Buffer.alloc(0)).slice(2, 5), WHOLE);
      assert.equal(told[0]?.includes('0102030405060708', 0, 'hex'), echo);
    }
  });

  test('is cut where all of it is too much', () => {
    const { exchange } = rig(false, 40);
    const lines = describeReply(exchange(question('out.one.test A', { recursion: true }), MACHINE));
    assert.deepEqual(lines, ['NOERROR qr aa tc rd ra', 'question out.one.test A']);
  });

  test('that is delegated is asked for too, and the delegation is no part of the answer', () => {
    const { others, exchange } = rig(false);
    const lines = describeReply(exchange(question('into.one.test A', { recursion: true }), MACHINE));
    assert.deepEqual(lines.slice(2), [
      'answer into.one.test 60 CNAME x.sub.one.test',
      'answer x.sub.one.test 7 A 198.51.100.0',
    ]);
    assert.equal(others.asked.length, 1);
  });

  test('is told as it is to strangers, and to who does not ask for more', () => {
    const { others, exchange } = rig(false);
    const asks: [Parameters<typeof question>[1], DnsClient][] = [
      [{ recursion: true }, clientAt('203.0.113.1')],
      [{}, MACHINE],
    ];
    for (const [wishes, client] of asks) {
      assert.deepEqual(describeReply(exchange(question('out.one.test A', wishes), client)).slice(2), WHOLE.slice(0, 2));
    }
    assert.deepEqual(others.asked, []);
  });
});
