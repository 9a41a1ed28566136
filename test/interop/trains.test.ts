import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';

import { toIp4 } from '../../src/addr/ip4.ts';
import type { TrainSocket } from '../../src/system/datagram.ts';
import { loadLibc } from '../../src/system/libc.ts';
import { UdpSockets } from '../../src/system/udp-socket.ts';
import { FrameTap } from './frame-tap.ts';
import { enterOwnNetwork, ip, noOwnNetwork } from './own-network.ts';

const CLIENT = { address: toIp4(0xc0000202), port: 2070 };
const SEGMENT = 1404;

describe('a packet train on an Ethernet', { skip: noOwnNetwork() }, () => {
  let socket: TrainSocket;
  let tap: FrameTap;

  before(() => {
    enterOwnNetwork();
    ip('address add 192.0.2.1/24 dev left');
    ip('neighbour add 192.0.2.2 lladdr 02:00:00:00:00:0b dev left nud permanent');
    const libc = loadLibc();
    socket = new UdpSockets(libc).openForTrains({ address: toIp4(0xc0000201), port: 0 }).socket;
    tap = new FrameTap(libc, 'right');
  });

  function send(packets: number): number {
    socket.room(packets * SEGMENT);
    socket.send(packets * SEGMENT, SEGMENT, CLIENT);
    return socket.flush();
  }

  /** Octets of UDP payload on the wire, and in how many frames: one for a train, as nothing on this wire has cut it up yet. */
  function arrived(): { octets: number; frames: number } {
    const sizes = tap.frames().map((frame) => {
      const isFirst = (frame.readUInt16BE(20) & 0x1fff) === 0;
      return frame.readUInt16BE(16) - 20 - (isFirst ? 8 : 0);
    });
    return { octets: sizes.reduce((sum, size) => sum + size, 0), frames: sizes.length };
  }

  test('leaves as one', () => {
    assert.equal(send(16), 0);
    assert.deepEqual(arrived(), { octets: 16 * SEGMENT, frames: 1 });
  });

  test('goes packet by packet, in fragments, where the MTU is too small for one, and as a train again where it is not', () => {
    ip('link set left mtu 1000');
    for (let i = 0; i < 20; i++) {
      assert.equal(send(3), 0);
      assert.deepEqual(arrived(), { octets: 3 * SEGMENT, frames: 6 });
    }
    ip('link set left mtu 1500');
    const frames = Array.from({ length: 100 }, () => {
      assert.equal(send(3), 0);
      const { octets, frames: count } = arrived();
      assert.equal(octets, 3 * SEGMENT);
      return count;
    });
    assert.deepEqual([frames.at(0), frames.at(-1)], [3, 1]);
  });
});
