import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BATCH } from '../../src/system/datagram.ts';
import { readHexFixtures } from '../fixtures/hex.ts';
import { fuzz } from '../wire/fuzz.ts';
import { DhcpGrammar } from './dhcp-grammar.ts';
import { DhcpRack, ETH0, LINK, type Answer } from './dhcp-rack.ts';
import { Machine } from './machine.ts';
import { ACK, DECLINE, INFORM, NAK, OFFER, quad, RELEASE, REQUEST, writePacket } from './naive-packet.ts';
import { RACK, testPlan } from './test-plan.ts';

const ROUNDS = Number(process.env['RACKBOOT_FUZZ_ROUNDS'] ?? 300_000);
const PROXY_ROUNDS = 60_000;
const SERVER: readonly [number, readonly number[]] = [54, quad(RACK)];

/** Captured packets, some by grammar, and by hand the messages that no capture has. */
const SEEDS = [
  ...readHexFixtures('dhcp').values(),
  ...grown(100),
  writePacket({ type: REQUEST, ciaddr: '192.168.127.111' }),
  writePacket({ type: INFORM, ciaddr: '192.168.127.111' }),
  writePacket({ type: RELEASE, ciaddr: '192.168.127.111', options: [SERVER] }),
  writePacket({ type: DECLINE, options: [SERVER, [50, quad('192.168.127.112')]] }),
  writePacket({
    type: REQUEST,
    giaddr: '10.0.7.1',
    options: [
      [50, quad('10.0.7.101')],
      [82, Array(250).fill(1)],
    ],
  }),
];

/** What becomes of a datagram: every one that came in is one of these. */
const FATES = [
  'refused.bad-packet',
  'refused.not-a-request',
  'refused.hardware-type',
  'refused.unknown-subnet',
  'received.bootp',
  'received.inform',
  'refused.message-type',
  'received.discover',
  'received.request',
  'received.release',
  'received.decline',
];

test(`none of ${ROUNDS} packets stops the service, and each is counted`, (t) => {
  const plan = testPlan({ hosts: [{ name: 'node1', macs: ['52:54:00:12:34:57'] }] });
  // A reply may hold what a request held: garbage
  const rack = new DhcpRack(plan, [ETH0, LINK], 'unrecorded');
  const answers = { [OFFER]: 0, [ACK]: 0, [NAK]: 0 };
  const grammar = new DhcpGrammar(67);
  let batch: Uint8Array[] = [];
  let rounds = 0;
  const serve = (): void => {
    for (const answer of rack.exchange(batch, RACK)) tally(answers, answer);
    batch = [];
    rack.time.pass(10);
    rack.told.length = 0;
    rack.ended.length = 0;
    rack.trace.length = 0;
    rack.store.commits.length = 0;
  };
  const run = (bytes: Uint8Array): void => {
    batch.push(rounds++ % 2 === 0 ? bytes.slice() : grammar.next());
    if (batch.length === BATCH) serve();
  };
  const { growth } = fuzz({ seeds: SEEDS, rounds: ROUNDS, seed: 67, run });
  serve();
  assert.equal(rack.count('received'), ROUNDS);
  const fates = FATES.map((name) => rack.count(name));
  assert.equal(
    fates.reduce((sum, count) => sum + count, rack.count('refused.rate-limit')),
    ROUNDS,
  );
  for (const [i, count] of fates.entries()) assert.ok(count > 100, `${FATES[i]}: ${count}`);
  for (const [type, count] of Object.entries(answers)) assert.ok(count > 30, `type ${type}: ${count}`);
  assert.ok(rack.count('sent.cut-short') > 0);
  t.diagnostic(`answers by type: ${JSON.stringify(answers)}; memory grew by ${growth} bytes after the first tenth`);
  t.diagnostic(JSON.stringify(rack.service.counters()));
  rack.time.pass(5000);
  assert.match(new Machine(rack, 1).boot(), /^192\.168\.127\.1[1-4]\d$/);
});

test('no packet brings a proxy to give an address, to refuse one or to write to the disk', () => {
  const bootServer = { ...ETH0, fd: 8, port: 4011 };
  const subnet = { management: 'proxy', dynamic: null, static: null } as const;
  const rack = new DhcpRack(testPlan({ subnets: [subnet] }), [ETH0, bootServer, LINK], 'unrecorded');
  const answers = { [OFFER]: 0, [ACK]: 0 };
  const given = new Set<string>();
  let batch: Uint8Array[] = [];
  let rounds = 0;
  const run = (bytes: Uint8Array): void => {
    batch.push(bytes.slice());
    if (batch.length < BATCH) return;
    for (const answer of rack.exchange(batch, RACK, rounds++ % 2 === 0 ? ETH0.fd : bootServer.fd)) {
      tally(answers, answer);
      given.add(answer.yiaddr);
    }
    batch = [];
    rack.time.pass(10);
    rack.told.length = 0;
    rack.ended.length = 0;
    rack.trace.length = 0;
  };
  fuzz({ seeds: SEEDS, rounds: PROXY_ROUNDS, seed: 4011, run });
  assert.deepEqual([...given], ['0.0.0.0']);
  assert.deepEqual(Object.keys(answers), [String(OFFER), String(ACK)]);
  for (const [type, count] of Object.entries(answers)) assert.ok(count > 100, `type ${type}: ${count}`);
  assert.equal(
    rack.store.commits.reduce((sum, leases) => sum + leases, 0),
    0,
  );
});

function grown(count: number): Uint8Array[] {
  const grammar = new DhcpGrammar(1);
  return Array.from({ length: count }, () => grammar.next());
}

function tally(answers: Record<number, number>, { op, type, length }: Answer): void {
  assert.equal(op, 2);
  assert.ok(length >= 300 && length <= 1472);
  answers[type] = (answers[type] ?? 0) + 1;
}
