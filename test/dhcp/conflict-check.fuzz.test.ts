import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BATCH } from '../../src/system/datagram.ts';
import { readHexFixtures } from '../fixtures/hex.ts';
import { fuzz } from '../wire/fuzz.ts';
import { Dice } from './dice.ts';
import { ARP, DhcpRack, ETH0, LINK } from './dhcp-rack.ts';
import { naiveArp } from './naive-arp.ts';
import { macOf, Machine } from './machine.ts';
import { DISCOVER, OFFER, writePacket } from './naive-packet.ts';
import { RACK, testPlan } from './test-plan.ts';

const ROUNDS = 100_000;
/** Wide: BOOTP clients keep what they get. */
const SUBNET = {
  cidr: '192.168.0.0/16',
  dynamic: '192.168.100.0-192.168.160.255',
  static: null,
  lease: 60,
  more: { conflictCheck: 'arp', bootp: 'dynamic', rapidCommit: true, quarantineSeconds: 5 },
} as const;

test('whatever is asked and heard while messages wait, the service goes on, and nothing is left over', () => {
  const rack = new DhcpRack(testPlan({ subnets: [SUBNET] }), [ETH0, LINK, ARP], 'unrecorded');
  const dice = new Dice(5227);
  const seeds = [...readHexFixtures('dhcp').values(), writePacket({}), writePacket({ type: DISCOVER })];
  let batch: Uint8Array[] = [];
  const serve = (): void => {
    rack.exchange(batch, RACK);
    batch = [];
    const probed = rack.trace.filter((step) => step.startsWith('probe')).map((step) => step.slice('probe '.length));
    for (const address of probed) if (dice.chance(30)) rack.overhear(naiveArp(macOf(1000 + dice.below(50)), address));
    rack.overhear(Uint8Array.from({ length: dice.below(64) }, () => dice.below(256)));
    rack.wait(dice.pick([1, 100, 600]));
    for (const list of [rack.told, rack.ended, rack.trace, rack.store.commits]) list.length = 0;
  };
  const run = (bytes: Uint8Array): void => {
    batch.push(bytes.slice());
    if (batch.length === BATCH) serve();
  };
  fuzz({ seeds, rounds: ROUNDS, seed: 5227, run });
  serve();
  for (const name of ['sent.probe', 'conflict', 'passed-over', 'sent.offer', 'sent.bootp']) {
    assert.ok(rack.count(name) > 50, `${name}: ${rack.count(name)}`);
  }
  rack.wait(500);
  assert.equal(rack.time.timers, 1, 'timers other than the sweep');
  rack.time.pass(200);
  new Machine(rack, 70_000).discover();
  assert.deepEqual(
    rack.wait(500).map(({ type }) => type),
    [OFFER],
  );
});
