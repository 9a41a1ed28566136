import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseHex } from '../fixtures/hex.ts';
import { fuzz } from '../wire/fuzz.ts';
import { CARD, WATCH, WatchRack } from './watch-rack.ts';

const ROUNDS = Number(process.env['RACKBOOT_FUZZ_ROUNDS'] ?? 100_000);
const PROBE = { seconds: 60, mac: 0x027262000001 } as unknown as NonNullable<typeof WATCH.dhcpProbe>;

const OURS = CARD.replaceAll(':', '');
const ARP = '0806 0001 0800 06 04';
const UDP = '0800 4500 0148 0000 0000 4011 0000 0a000009 ffffffff 0043 0044 0134 0000';
const HEADS = `00000001 0000 8000 00000000 0a000032 00000000 00000000 02000000000c ${'00'.repeat(74)}`;

/** Everything that has a meaning here, so that what comes of it goes far. */
const SEEDS = [
  `ffffffffffff 02000000000a ${ARP} 0001 02000000000a c0a87f6f 000000000000 c0a87f6f`,
  `${OURS} 02000000000a ${ARP} 0002 02000000000a c0a87f6f ${OURS} 00000000`,
  `${OURS} 02000000000b ${ARP} 0002 02000000000b c0a87f01 ${OURS} 00000000`,
  `ffffffffffff 02000000000b ${ARP} 0001 02000000000b 00000000 000000000000 c0a87f6f`,
  `ffffffffffff 02000000000b 8100 0064 ${ARP} 0001 02000000000b 0a000002 000000000000 c0a87f6f`,
  `ffffffffffff 020000000099 ${UDP} 02010600 ${HEADS} ${'00'.repeat(128)} 63825363 350102 3604 0a000009 0304 0a000001 4305 612e656669 ff`,
  `ffffffffffff 020000000099 ${UDP} 02010600 ${HEADS} 4305 612e656669 ff ${'00'.repeat(120)} 63825363 350105 3604 0a000009 340101 ff`,
  `ffffffffffff 02000000000c 0800 4600 014c 0000 0000 4011 0000 00000000 ffffffff 01010100 0044 0043 0134 0000 01010600 ${HEADS} ${'00'.repeat(128)} 63825363 350103 3604 0a000009 3204 0a000033 ff`,
].map(parseHex);

test(`none of ${ROUNDS} frames stops the watch, and what it keeps of them is bounded`, () => {
  const hosts = [{ name: 'node1', macs: ['02:00:00:00:00:0a'], address: '192.168.127.222' }];
  const rack = new WatchRack({ hosts }, { ...WATCH, scanSeconds: 60, dhcpProbe: PROBE });
  let round = 0;
  fuzz({
    seeds: SEEDS,
    seed: 5227,
    rounds: ROUNDS,
    run: (bytes) => {
      const frame = bytes.slice();
      const tag = round % 5 === 0 ? round & 0xffff : 0;
      if (round % 2 === 0) rack.hear(frame, tag);
      else rack.hearDhcp(frame, tag);
      if (round++ % 16 === 0) rack.time.pass(50, 'milliseconds');
      if (round % 1024 === 0) forgetWhatWasSaid(rack);
    },
  });
  const counters = rack.service.counters();
  const told = ['received.arp', 'received.dhcp', 'dhcp.strange', 'refused.bad-packet'];
  for (const name of told) assert.ok((counters[name] ?? 0) > 100, `${name}: ${counters[name]}`);
  assert.ok(rack.count('strangers') >= 0 && rack.count('strangers') <= 4096);
  assert.equal(rack.show()?.neighbours.length, rack.count('strangers') + rack.count('neighbours'));
  assert.ok(rack.time.timers < 5000, `${rack.time.timers} timers`);
  rack.service.close();
  assert.deepEqual([rack.time.timers, rack.time.watched], [0, []]);
});

/** The wire of a test has no end. */
function forgetWhatWasSaid(rack: WatchRack): void {
  for (const list of [rack.told, rack.sightings, rack.arp.sent, rack.dhcp.sent]) list.length = 0;
}
