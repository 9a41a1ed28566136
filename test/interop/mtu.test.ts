import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { before, describe, test } from 'node:test';

import { parseIp4, toIp4, type Ip4 } from '../../src/addr/ip4.ts';
import { loadLibc } from '../../src/system/libc.ts';
import { mtuOf, mtuTowards } from '../../src/system/mtu.ts';
import { negotiate } from '../../src/tftp/negotiate.ts';
import { enterOwnNetwork, ip, noOwnNetwork } from './own-network.ts';

const address = (text: string): Ip4 => parseIp4(text) ?? toIp4(0);

describe('the MTU', { skip: noOwnNetwork() }, () => {
  const libc = loadLibc();

  before(() => {
    enterOwnNetwork();
    ip('address add 192.0.2.1/24 dev left');
    ip('link add big0 type veth peer name big1');
    ip('link set big0 mtu 9000 up');
    ip('link set big1 mtu 9000 up');
    ip('address add 198.51.100.1/24 dev big0');
    ip('route add 203.0.113.0/24 via 192.0.2.9');
    ip('route add 203.0.113.128/25 via 192.0.2.9 mtu 1400');
  });

  test('of an interface is what it was set to, and follows a change', () => {
    assert.equal(mtuOf(libc, 'left'), 1500);
    assert.equal(mtuOf(libc, 'big0'), 9000);
    ip('link set left mtu 576');
    assert.equal(mtuOf(libc, 'left'), 576);
    ip('link set left mtu 1500');
  });

  test('of an interface that is not there is unknown', () => {
    assert.equal(mtuOf(libc, 'no-such-one'), undefined);
    assert.equal(mtuOf(libc, 'a-name-longer-than-any-interface'), undefined);
  });

  const ROUTES: readonly (readonly [string, number | undefined])[] = [
    ['192.0.2.21', 1500],
    ['198.51.100.21', 9000],
    ['203.0.113.7', 1500],
    ['203.0.113.200', 1400],
    ['10.0.0.1', undefined],
    ['255.255.255.255', undefined],
  ];
  for (const [to, mtu] of ROUTES) {
    test(`towards ${to} is ${mtu ?? 'unknown'}`, () => assert.equal(mtuTowards(libc, address(to)), mtu));
  }

  test('bounds the block of a transfer, as one byte more would be sent in fragments', () => {
    ip('link set left mtu 1400');
    const request = { type: 'rrq', file: 'a', mode: 'octet', options: { blksize: 8192 } } as const;
    const bounds = { blockSize: 8968, window: 64 };
    const blocks = ['192.0.2.21', '198.51.100.21'].map((to) => {
      return negotiate(request, 1, bounds, mtuTowards(libc, address(to))).blockSize;
    });
    assert.deepEqual(blocks, [1368, 8192]);
    ip('link set left mtu 1500');
  });

  test('costs no descriptor, known or not', () => {
    const open = readdirSync('/proc/self/fd').length;
    for (let i = 0; i < 100; i++) {
      mtuTowards(libc, address('192.0.2.21'));
      mtuTowards(libc, address('10.0.0.1'));
      mtuOf(libc, 'no-such-one');
    }
    assert.equal(readdirSync('/proc/self/fd').length, open);
  });
});
