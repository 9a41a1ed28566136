import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatIp4, LIMITED_BROADCAST, UNSPECIFIED } from '../../src/addr/ip4.ts';
import { addressAsked } from '../../src/tftp/address-asked.ts';
import { ip4, NODE, RACK, testPlan } from './test-rack.ts';

const { subnets } = testPlan('/nowhere');
const bound = { fd: 7, transport: 'udp', interface: 'eth0', ifindex: 2, address: RACK, port: 69 } as const;
const anywhere = { fd: 7, transport: 'udp', address: UNSPECIFIED, port: 69 } as const;
const other = ip4('198.51.100.1');
const stranger = ip4('203.0.113.5');

const cases = [
  { title: 'an address of ours is kept', destination: other, handle: bound, source: NODE, answer: other },
  {
    title: '255.255.255.255 becomes the socket’s',
    destination: LIMITED_BROADCAST,
    handle: bound,
    source: NODE,
    answer: RACK,
  },
  {
    title: 'a subnet’s broadcast becomes the socket’s',
    destination: ip4('192.0.2.255'),
    handle: bound,
    source: NODE,
    answer: RACK,
  },
  {
    title: 'a multicast group becomes the socket’s',
    destination: ip4('224.0.0.1'),
    handle: bound,
    source: NODE,
    answer: RACK,
  },
  { title: 'an unknown one becomes the socket’s', destination: UNSPECIFIED, handle: bound, source: NODE, answer: RACK },
  {
    title: 'on a socket of no interface a broadcast becomes the rack’s address in the client’s subnet',
    destination: LIMITED_BROADCAST,
    handle: anywhere,
    source: NODE,
    answer: RACK,
  },
  {
    title: 'a broadcast from nowhere we know has no address',
    destination: LIMITED_BROADCAST,
    handle: anywhere,
    source: stranger,
    answer: UNSPECIFIED,
  },
];

for (const { title, destination, handle, source, answer } of cases) {
  test(title, () => {
    const request = { bytes: new Uint8Array(), source, sourcePort: 2070, destination, ifindex: 2 };
    assert.equal(formatIp4(addressAsked(request, handle, subnets)), formatIp4(answer));
  });
}
