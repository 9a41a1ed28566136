import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readHexFixture } from '../fixtures/hex.ts';
import { DhcpRack } from './dhcp-rack.ts';
import { Machine } from './machine.ts';
import { ACK, dotted, OFFER, seconds } from './naive-packet.ts';
import { LOCAL, RACK, testPlan } from './test-plan.ts';

const PXE_BIOS = Buffer.from('PXEClient:Arch:00000:UNDI:002001', 'latin1');
/** A BIOS ROM's marks. */
const ROM: readonly (readonly [number, readonly number[]])[] = [
  [60, [...PXE_BIOS]],
  [93, [0, 0]],
];

test('a client that does not say what it wants gets everything', () => {
  const rack = new DhcpRack();
  const offer = new Machine(rack, 1).discover({ name: 'laptop' });
  assert.deepEqual(offer?.order, [53, 54, 51, 12, 1, 3, 6, 15, 28, 58, 59]);
  const text = (code: number): string => Buffer.from(offer?.options.get(code) ?? []).toString('latin1');
  const address = (code: number): string => dotted(offer?.options.get(code) ?? []);
  assert.deepEqual([1, 3, 6, 28, 54].map(address), ['255.255.255.0', '192.168.127.254', RACK, '192.168.127.255', RACK]);
  assert.deepEqual([text(12), text(15)], ['laptop', 'rack.example']);
});

test('a client that says what it wants gets that, and what no lease goes without', () => {
  const rack = new DhcpRack();
  const offer = new Machine(rack, 1).discover({ name: 'laptop', options: [[55, [15, 3, 200]]] });
  assert.deepEqual(offer?.order, [53, 54, 51, 1, 3, 15]);
});

for (const lease of [60, 3600, 43_201]) {
  test(`a lease of ${lease} s is renewed at half and rebound at seven eighths`, () => {
    const rack = new DhcpRack(testPlan({ subnets: [{ lease }] }));
    const offer = new Machine(rack, 1).discover();
    const times = [51, 58, 59].map((code) => seconds(offer?.options.get(code)));
    assert.deepEqual(times, [lease, Math.floor(lease / 2), Math.floor((lease * 7) / 8)]);
  });
}

test('a ROM finds its loader in file, siaddr, option 66 and option 67, which ends in NUL and is not the last', () => {
  const rack = new DhcpRack();
  const offer = new Machine(rack, 1).discover({ options: ROM });
  assert.deepEqual([offer?.file, offer?.siaddr], ['undionly.kpxe', RACK]);
  assert.deepEqual(offer?.options.get(66), [...Buffer.from(RACK)]);
  assert.deepEqual(offer?.options.get(67), [...Buffer.from('undionly.kpxe\0')]);
  assert.notEqual(offer?.order.at(-1), 67);
  assert.equal(offer?.options.has(52), false);
});

test('a ROM that asks for nothing but option 67 still finds another option behind it', () => {
  const rack = new DhcpRack();
  const offer = new Machine(rack, 1).discover({ options: [...ROM, [55, [67]]] });
  assert.deepEqual(offer?.order, [53, 54, 51, 66, 67, 43, 60, 1]);
});

test('an OFFER and an ACK are for the same machine, exchange and file', () => {
  const rack = new DhcpRack();
  const machine = new Machine(rack, 1);
  const offer = machine.discover({ options: ROM });
  const ack = machine.select(offer?.yiaddr ?? '', { options: ROM });
  for (const reply of [offer, ack]) {
    assert.deepEqual([reply?.op, reply?.htype, reply?.hlen, reply?.mac], [2, 1, 6, machine.mac]);
    assert.deepEqual([reply?.xid, reply?.giaddr], [0x3903f326, '0.0.0.0']);
    assert.equal(reply?.file, 'undionly.kpxe');
    assert.ok(reply.length >= 300);
  }
});

test('the largest message that OVMF names in its REQUEST, 65280 bytes, is not believed', () => {
  const rack = new DhcpRack(testPlan({ subnets: [{ dynamic: '192.168.127.112-192.168.127.112' }] }));
  rack.ask(readHexFixture('dhcp/ovmf-pxe-discover'));
  const ack = rack.ask(readHexFixture('dhcp/ovmf-pxe-request'));
  assert.equal(ack?.type, ACK);
});

/** The longest reply there can be: every option, a long domain, and all a relay may add. */
const LONG = { ...LOCAL, domain: `${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.example` };
const CIRCUIT = [1, 198, ...Array.from({ length: 198 }, (_, i) => i)];

/** Option 57 as sent, and the bytes that UDP may then carry (RFC 2132 §9.10: 576 at least; IP and UDP headers off). */
const SIZES: readonly (readonly [string, readonly number[] | undefined, number])[] = [
  ['says nothing', undefined, 548],
  ['says 0', [0, 0], 548],
  ['says 300, less than RFC 2132 allows', [1, 44], 548],
  ['says 576', [2, 64], 548],
  ['says 1472', [5, 192], 1444],
  ['says 1500', [5, 220], 1472],
  ['says 65280', [255, 0], 1472],
  ['says it in one byte', [255], 548],
  ['says it in four bytes', [0, 0, 5, 220], 548],
];

for (const [what, size, limit] of SIZES) {
  test(`a client that ${what} about its largest message gets at most ${limit} bytes, the relay's option among them`, () => {
    const rack = new DhcpRack(testPlan({ subnets: [LONG] }));
    const options = [...ROM, ...(size ? [[57, size] as const] : []), [82, CIRCUIT] as const];
    const offer = new Machine(rack, 1).discover({ name: 'n'.repeat(63), giaddr: '192.168.127.254', options });
    assert.equal(offer?.type, OFFER);
    assert.ok(offer.length <= limit, `${offer.length} bytes`);
    assert.deepEqual(offer.options.get(82), CIRCUIT);
    assert.equal(offer.order.at(-1), 82);
    for (const code of [53, 54, 51, 1, 3, 66, 67]) assert.ok(offer.options.has(code), `option ${code}`);
    assert.equal(rack.count('sent.cut-short'), limit === 548 ? 1 : 0);
    assert.equal(offer.order.length, limit === 548 ? offer.order.length : 16);
  });
}

test("a relay's option that no reply can carry is left out, and the client still gets its address", () => {
  const rack = new DhcpRack();
  const huge = Array.from({ length: 5 }, () => [82, Array.from({ length: 250 }, () => 7)] as const);
  const offer = new Machine(rack, 1).discover({ giaddr: '10.0.7.1', options: huge });
  assert.equal(offer?.type, OFFER);
  assert.equal(offer.options.has(82), false);
  assert.equal(rack.count('sent.cut-short'), 1);
  assert.equal(
    new Machine(rack, 1).reboot('192.168.127.5', { giaddr: '10.0.7.1', options: huge })?.options.has(82),
    false,
  );
});

test('option 82 of a switch that is no relay goes back to it too', () => {
  const rack = new DhcpRack();
  const circuit = [1, 4, 0, 7, 1, 2];
  const offer = new Machine(rack, 1).discover({ options: [[82, circuit]] });
  assert.deepEqual(offer?.options.get(82), circuit);
});
