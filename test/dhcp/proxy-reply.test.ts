import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMac } from '../../src/addr/mac.ts';
import { quirksOf } from '../../src/boot/quirks-of.ts';
import { Addresses } from '../../src/dhcp/addresses.ts';
import { readClient } from '../../src/dhcp/client.ts';
import { OptionLayers } from '../../src/dhcp/option-layers.ts';
import { proxyReply } from '../../src/dhcp/proxy-reply.ts';
import { QuirkSwitchboard } from '../../src/dhcp/quirk-switches.ts';
import { LeaseBook } from '../../src/leases/lease-book.ts';
import { MessageType } from '../../src/wire/dhcp/message-type.ts';
import { decodeDhcp } from '../../src/wire/dhcp/packet.ts';
import { readHexFixture } from '../fixtures/hex.ts';
import { HandTime } from './hand-time.ts';
import { MemoryLeaseStore } from './memory-lease-store.ts';
import { ip4, RACK, testPlan } from './test-plan.ts';

test('UEFI that boots by HTTP is told the URL as by one of its kind', () => {
  const plan = testPlan({ subnets: [{ management: 'proxy', dynamic: null, static: null }] });
  const addresses = new Addresses(new LeaseBook(new MemoryLeaseStore()), new HandTime());
  addresses.apply(plan);
  const [served] = addresses.served;
  const mac = parseMac('52:54:00:12:34:57');
  assert.ok(served && mac !== undefined);
  const packet = decodeDhcp(readHexFixture('dhcp/ovmf-http-discover'));
  const exchange = {
    packet,
    client: readClient(packet, mac),
    served,
    link: [served],
    rackAddress: ip4(RACK),
    serverId: ip4(RACK),
    addresses,
    optionLayers: new OptionLayers(plan),
    quirkSwitches: new QuirkSwitchboard(plan),
    conflicts: { clears: () => true },
  };
  const bootFile = `http://${RACK}:5248/${'long/'.repeat(30)}snponly.efi`;
  const boot = {
    bootFile,
    nextServer: ip4(RACK),
    why: '',
    runs: 'x86' as const,
    quirks: quirksOf(exchange.client.boot),
  };
  const reply = proxyReply(exchange, { type: MessageType.offer, boot });
  const values = new Map(reply.options.map(({ code, value }) => [code, Buffer.from(value).toString('latin1')]));
  assert.equal(values.get(60), 'HTTPClient');
  assert.equal(values.get(67), `${bootFile}\0`);
  assert.equal(values.get(43), undefined);
  // Longer than the field
  assert.equal(reply.file, '');
});
