/*
 * Floods a wire with ARP of random pairs: `node arp-flood.ts SECONDS DEVICE [PER_SECOND]`, run inside the clients' namespace. Each frame claims a
 * random address of 192.168.127.0/24 for a random MAC, half of them as a reply. Prints how many were sent.
 */
import { randomFillSync } from 'node:crypto';

import { FrameTaps, openFrameTap } from '../../src/system/frame-tap.ts';
import { loadLibc } from '../../src/system/libc.ts';
import { ARP_SNAP, arpFilter } from '../../src/system/packet-filter.ts';

const seconds = Number(process.argv[2]);
const device = process.argv[3] ?? 'client0';
const perSecond = Number(process.argv[4] ?? 100_000);
const libc = loadLibc();
const ifindex = libc.if_nametoindex(device);
const tap = new FrameTaps(libc).adopt(openFrameTap(libc, ifindex, arpFilter()), ifindex, ARP_SNAP);
const frame = Buffer.from(
  `ffffffffffff 0600000000000806 0001 0800 06 04 0001 060000000000 c0a87f00 000000000000 c0a87f01`.replaceAll(' ', ''),
  'hex',
);
const random = Buffer.alloc(8 * 4096);
let sent = 0;

function sendOne(): void {
  const at = (sent % 4096) * 8;
  if (at === 0) randomFillSync(random);
  random.copy(frame, 7, at, at + 5);
  random.copy(frame, 23, at, at + 5);
  frame[31] = random[at + 5] ?? 0;
  frame[21] = 1 + ((random[at + 6] ?? 0) & 1);
  tap.send(frame);
  sent++;
}

const began = performance.now();
const bed = new Int32Array(new SharedArrayBuffer(4));
for (let passed = 0; passed < seconds; passed = (performance.now() - began) / 1000) {
  for (const due = Math.min(passed + 0.002, seconds) * perSecond; sent < due;) sendOne();
  tap.flush();
  Atomics.wait(bed, 0, 0, 1);
}
console.log(sent);
