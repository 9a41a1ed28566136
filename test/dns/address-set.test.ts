import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { cidrContains, netmask, type Cidr } from '../../src/addr/cidr.ts';
import { toIp4 } from '../../src/addr/ip4.ts';
import { AddressSet } from '../../src/dns/address-set.ts';

test('an address is in a set when it is in one of its networks', () => {
  // Near one another, so that they touch, overlap and lie within one another
  const address = fc
    .oneof(
      fc.nat(4095),
      fc.nat(4095).map((value) => 0xffff_f000 + value),
    )
    .map(toIp4);
  const network = fc
    .tuple(address, fc.integer({ min: 0, max: 32 }))
    .map(([first, prefix]): Cidr => ({ network: toIp4(first & netmask(prefix)), prefix: Math.max(prefix, 18) }))
    .map(({ network: first, prefix }): Cidr => ({ network: toIp4(first & netmask(prefix)), prefix }));
  fc.assert(
    fc.property(fc.array(network, { maxLength: 12 }), fc.array(address, { maxLength: 40 }), (networks, addresses) => {
      const set = new AddressSet(networks);
      for (const one of addresses)
        assert.equal(
          set.has(one),
          networks.some((cidr) => cidrContains(cidr, one)),
        );
    }),
  );
});

test('everything is a set too, and nothing', () => {
  const everything = new AddressSet([{ network: toIp4(0), prefix: 0 }]);
  for (const address of [0, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]) {
    assert.equal(everything.has(toIp4(address)), true);
    assert.equal(new AddressSet([]).has(toIp4(address)), false);
  }
});
