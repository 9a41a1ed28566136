import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Plan } from '../../src/plan/plan.ts';
import type { QuirkSwitches } from '../../src/plan/quirk-table.ts';
import { parseHex } from '../fixtures/hex.ts';
import { DhcpRack, type Answer } from './dhcp-rack.ts';
import { DISCOVER, letters, writePacket } from './naive-packet.ts';
import { testPlan } from './test-plan.ts';

const MAC = '52:54:00:00:00:01';
const PI_MENU = [...parseHex('060103 0a0400505845 091400001152617370626572727920506920426f6f74 ff')];

function discover(quirks: QuirkSwitches, arch: number): Answer | undefined {
  const plan = testPlan({
    hosts: [{ name: 'a', macs: [MAC] }],
    subnets: [{ management: 'proxy', dynamic: null, static: null }],
  });
  const switched: Plan = { ...plan, hosts: plan.hosts.map((host) => ({ ...host, quirks })) };
  const vendorClass = letters(`PXEClient:Arch:${String(arch).padStart(5, '0')}:UNDI:002001`);
  const options = [
    [60, vendorClass],
    [93, [0, arch]],
  ] as const;
  return new DhcpRack(switched).ask(writePacket({ type: DISCOVER, mac: MAC, options }));
}

function file(answer: Answer | undefined): string | undefined {
  return answer && Buffer.from(answer.bytes.subarray(108, 236)).toString('latin1').replace(/\0+$/, '');
}

test('what the file says of a boot file’s form holds beside another DHCP server too', () => {
  const loader = letters('undionly.kpxe');
  const usual = discover({}, 0);
  assert.deepEqual([...(usual?.options.get(67) ?? [])], [...loader, 0]);
  assert.equal(file(usual), 'undionly.kpxe');
  assert.deepEqual([...(discover({ 'boot-file-nul': false }, 0)?.options.get(67) ?? [])], loader);
  assert.equal(file(discover({ 'boot-file-in-header': false }, 0)), '');
});

test('a Raspberry Pi gets its menu beside another DHCP server, by whatever architecture it calls itself', () => {
  assert.deepEqual([...(discover({}, 41)?.options.get(43) ?? [])], PI_MENU);
  assert.deepEqual([...(discover({ 'raspberry-pi': true }, 0)?.options.get(43) ?? [])], PI_MENU);
  assert.equal(discover({}, 7)?.options.get(43), undefined);
});
