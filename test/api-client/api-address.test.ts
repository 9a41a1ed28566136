import assert from 'node:assert/strict';
import { test } from 'node:test';

import { apiAddress, proofOf } from '../../src/api-client/api-address.ts';

const ADDRESSES: readonly (readonly [written: string, address: string | undefined])[] = [
  ['http://192.168.127.100/MAAS/api/1.0', 'http://192.168.127.100/MAAS/api/1.0/'],
  ['http://192.168.127.100/MAAS/api/1.0/', 'http://192.168.127.100/MAAS/api/1.0/'],
  ['https://region.example:5240/MAAS/api/2.0/', 'https://region.example:5240/MAAS/api/2.0/'],
  ['http://region.example:5240/MAAS', 'http://region.example:5240/MAAS/api/2.0/'],
  ['http://region.example:5240/MAAS/', 'http://region.example:5240/MAAS/api/2.0/'],
  ['http://region.example:5240/MAAS/api/', 'http://region.example:5240/MAAS/api/2.0/'],
  ['http://region.example:5240', 'http://region.example:5240/MAAS/api/2.0/'],
  ['http://proxy.example/site-b/MAAS/', 'http://proxy.example/site-b/MAAS/api/2.0/'],
  ['http://[::1]:5240/MAAS/', 'http://[::1]:5240/MAAS/api/2.0/'],
  ['HTTP://Region.Example/MAAS', 'http://region.example/MAAS/api/2.0/'],
  ['region.example/MAAS', undefined],
  ['ftp://region.example/MAAS', undefined],
  ['http://', undefined],
  ['http://name:word@region.example/MAAS', undefined],
  ['http://region.example/MAAS?x=y', undefined],
  ['http://region.example/MAAS#x', undefined],
  ['http://region.example//elsewhere.example/MAAS', undefined],
];
for (const [written, address] of ADDRESSES) {
  test(`${written} is ${address ?? 'no address of an API'}`, () => assert.equal(apiAddress(written), address));
}

test('a key is proven as clients of that version prove it', () => {
  assert.equal(proofOf('http://h/MAAS/api/1.0/'), 'nodegroups/?op=list');
  assert.equal(proofOf('http://h/MAAS/api/2.0/'), 'users/?op=whoami');
});
