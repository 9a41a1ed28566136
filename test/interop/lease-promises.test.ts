import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ACK, NAK, OFFER, readReply, writePacket } from '../dhcp/naive-packet.ts';
import { LeasePromises } from './lease-promises.ts';

const A = '52:54:00:00:00:0a';
const B = '52:54:00:00:00:0b';

/** What was said: type, to whom, which address, when in seconds; each lease is for 100 s. */
type Said = readonly [type: number, mac: string, address: string, time: number];

const STORIES: readonly (readonly [title: string, said: readonly Said[], broken: number])[] = [
  [
    'an address acknowledged to another client before its time breaks a promise',
    [
      [ACK, A, '10.0.0.1', 0],
      [ACK, B, '10.0.0.1', 99],
    ],
    1,
  ],
  [
    'so does the offer of it',
    [
      [ACK, A, '10.0.0.1', 0],
      [OFFER, B, '10.0.0.1', 99],
    ],
    1,
  ],
  [
    'an address may be given again when its time is over',
    [
      [ACK, A, '10.0.0.1', 0],
      [ACK, B, '10.0.0.1', 100],
    ],
    0,
  ],
  [
    'a renewed lease counts from the last ACK',
    [
      [ACK, A, '10.0.0.1', 0],
      [ACK, A, '10.0.0.1', 50],
      [OFFER, B, '10.0.0.1', 149],
    ],
    1,
  ],
  [
    'an offer binds nobody',
    [
      [OFFER, A, '10.0.0.1', 0],
      [ACK, B, '10.0.0.1', 1],
    ],
    0,
  ],
  [
    'a client that took another address gave up its first',
    [
      [ACK, A, '10.0.0.1', 0],
      [ACK, A, '10.0.0.2', 1],
      [ACK, B, '10.0.0.1', 2],
    ],
    0,
  ],
  [
    'a NAK promises nothing',
    [
      [NAK, A, '10.0.0.1', 0],
      [ACK, B, '10.0.0.1', 1],
    ],
    0,
  ],
];

for (const [title, said, broken] of STORIES) {
  test(title, () => {
    const promises = new LeasePromises();
    for (const [type, mac, yiaddr, time] of said) {
      const reply = readReply(writePacket({ op: 2, type, mac, options: [[51, [0, 0, 0, 100]]] }));
      promises.hear({ ...reply, yiaddr }, time);
    }
    assert.equal(promises.broken.length, broken, promises.broken.join('\n'));
  });
}
