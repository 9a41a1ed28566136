import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { broadcastOf, cidrContains, cidrsOverlap, formatCidr, netmask, parseCidr } from '../../src/addr/cidr.ts';
import { formatIp4, parseIp4, toIp4 } from '../../src/addr/ip4.ts';

const NETWORKS: readonly (readonly [cidr: string, mask: string, broadcast: string])[] = [
  ['0.0.0.0/0', '0.0.0.0', '255.255.255.255'],
  ['128.0.0.0/1', '128.0.0.0', '255.255.255.255'],
  ['10.0.0.0/8', '255.0.0.0', '10.255.255.255'],
  ['192.0.2.0/24', '255.255.255.0', '192.0.2.255'],
  ['192.0.2.64/26', '255.255.255.192', '192.0.2.127'],
  ['192.0.2.6/31', '255.255.255.254', '192.0.2.7'],
  ['192.0.2.7/32', '255.255.255.255', '192.0.2.7'],
];

for (const [text, mask, broadcast] of NETWORKS) {
  test(`${text} has mask ${mask} and ends at ${broadcast}`, () => {
    const cidr = parseCidr(text);
    assert.ok(cidr);
    assert.equal(formatCidr(cidr), text);
    assert.equal(formatIp4(netmask(cidr.prefix)), mask);
    assert.equal(formatIp4(broadcastOf(cidr)), broadcast);
  });
}

const BAD = [
  '',
  '192.0.2.0',
  '192.0.2.0/',
  '/24',
  '192.0.2.0/33',
  '192.0.2.0/024',
  '192.0.2.0/+8',
  '192.0.2.0/24/24',
  '192.0.2.0/ 24',
  '192.0.2.1/24',
  '192.0.2.128/24',
  '1.0.0.0/0',
  '10.0.0.0/08',
];

for (const text of BAD) {
  test(`${JSON.stringify(text)} is no network`, () => assert.equal(parseCidr(text), undefined));
}

test('zero is a prefix length, with one digit', () => {
  assert.ok(parseCidr('0.0.0.0/0'));
  assert.equal(parseCidr('0.0.0.0/00'), undefined);
});

const anyCidr = fc
  .tuple(fc.integer({ min: 0, max: 0xffffffff }), fc.integer({ min: 0, max: 32 }))
  .map(([value, prefix]) => ({ network: toIp4(value & netmask(prefix)), prefix }));

test('a network holds the addresses from its first to its last, and no other', () => {
  fc.assert(
    fc.property(anyCidr, fc.integer({ min: 0, max: 0xffffffff }), (cidr, value) => {
      assert.deepEqual(parseCidr(formatCidr(cidr)), cidr);
      const last = broadcastOf(cidr);
      assert.equal(last - cidr.network + 1, 2 ** (32 - cidr.prefix));
      for (const address of [value, cidr.network, last, cidr.network - 1, last + 1].map(toIp4)) {
        assert.equal(cidrContains(cidr, address), address >= cidr.network && address <= last);
      }
    }),
  );
});

test('two networks overlap when one holds an end of the other', () => {
  fc.assert(
    fc.property(anyCidr, anyCidr, (a, b) => {
      const overlap = a.network <= broadcastOf(b) && b.network <= broadcastOf(a);
      assert.equal(cidrsOverlap(a, b), overlap);
      assert.equal(cidrsOverlap(b, a), overlap);
    }),
  );
});

test('a part of a network overlaps with it, its neighbour does not', () => {
  const [whole, part, neighbour] = ['192.0.2.0/24', '192.0.2.128/25', '192.0.3.0/24'].map(parseCidr);
  assert.ok(whole && part && neighbour);
  assert.equal(cidrsOverlap(part, whole), true);
  assert.equal(cidrsOverlap(whole, neighbour), false);
  assert.equal(cidrContains(whole, parseIp4('192.0.3.0') ?? toIp4(0)), false);
});
