import assert from 'node:assert/strict';
import { test } from 'node:test';

import { kindOf, OPTION_NAMES, optionCode } from '../../src/plan/option-table.ts';
import type { OptionKind } from '../../src/plan/option-value.ts';
import { filePlan } from './file-plan.ts';
import { DhcpRack } from './dhcp-rack.ts';
import { Machine } from './machine.ts';
import { letters, quad } from './naive-packet.ts';

const ADDRESSES = [...quad('192.0.2.1'), ...quad('192.0.2.2')];
const ROUTES = [10, 10, 64, ...quad('192.168.127.9'), 0, ...quad('192.168.127.254')];

/** For each kind of value: as it is written in the file, and as bytes. */
const SAMPLES: Readonly<Partial<Record<OptionKind, readonly [yaml: string, bytes: readonly number[]]>>> = {
  ip4: ['192.0.2.1', quad('192.0.2.1')],
  'ip4-list': ['[192.0.2.1, 192.0.2.2]', ADDRESSES],
  u8: ['1', [1]],
  u16: ['1400', [5, 120]],
  duration: ['1h', [0, 0, 14, 16]],
  boolean: ['true', [1]],
  text: ['some/text.example', letters('some/text.example')],
  'domain-list': ['[a.example, b.a.example]', [1, 97, 7, ...letters('example'), 0, 1, 98, 192, 0]],
  routes: ['{ 10.64.0.0/10: 192.168.127.9 }', ROUTES],
  hex: ['f100747e', [0xf1, 0, 0x74, 0x7e]],
  suboptions: ['{ 6: { u8: 8 } }', [6, 1, 8, 255]],
};

function sampleOf(code: number): readonly [yaml: string, bytes: readonly number[]] {
  const kind = kindOf(code);
  const sample = kind && SAMPLES[kind];
  if (!sample) throw new Error(`no sample for a value of the kind ${kind}`);
  return sample;
}

/** Subnet, class and host set these; on the whole rack they would mean the same for every subnet. */
const OF_A_SUBNET = new Set(['routers', 'domain-name-servers', 'domain-name']);

for (const name of OPTION_NAMES.filter((each) => !OF_A_SUBNET.has(each))) {
  test(`${name} comes as the bytes its RFC says, to who asks for it`, () => {
    const code = optionCode(name) ?? 0;
    const [yaml, bytes] = sampleOf(code);
    const rack = new DhcpRack(filePlan('', `options: { ${name}: ${yaml} }`));
    const offer = new Machine(rack, 1).discover({ options: [[55, [code]]] });
    // Old UEFI reads on behind option 67
    assert.deepEqual(offer?.options.get(code), name === 'boot-file-name' ? [...bytes, 0] : bytes);
  });
}

test('a value longer than 255 bytes comes in parts (RFC 3396)', () => {
  const paths = `${'long/'.repeat(80)}end`;
  const rack = new DhcpRack(filePlan('', `options: { root-path: ${paths} }`));
  const large = [57, [5, 192]] as const;
  const offer = new Machine(rack, 1).discover({ options: [[55, [17]], large] });
  assert.deepEqual(offer?.options.get(17), letters(paths));
  assert.equal(offer.order.filter((code) => code === 17).length, 2);
});

const FIRMWARES: readonly (readonly [who: string, options: readonly (readonly [number, readonly number[]])[]])[] = [
  ...[0, 6, 7, 9, 11].map((arch) => [`PXE, architecture ${arch}`, pxe('PXEClient', arch)] as const),
  ...[15, 16, 19].map((arch) => [`HTTP, architecture ${arch}`, pxe('HTTPClient', arch)] as const),
  ['iPXE', [...pxe('PXEClient', 7), [77, letters('iPXE')], [175, [19, 1, 1]]]],
  ['iPXE by its features alone', [...pxe('PXEClient', 0), [175, [19, 1, 1, 33, 1, 1]]]],
  ['iPXE that cannot fetch by HTTP', [...pxe('PXEClient', 0), [77, letters('iPXE')], [175, [33, 1, 1]]]],
];

function pxe(vendorClass: string, arch: number): readonly (readonly [number, readonly number[]])[] {
  const wishes = [
    1, 2, 3, 4, 5, 6, 12, 13, 15, 17, 22, 23, 28, 40, 41, 42, 43, 50, 51, 54, 58, 59, 60, 66, 67, 97, 128,
  ];
  const guid = [0, ...Array.from({ length: 16 }, (_, i) => i)];
  const name = `${vendorClass}:Arch:${String(arch).padStart(5, '0')}:UNDI:003016`;
  return [
    [55, wishes],
    [57, [5, 192]],
    [60, letters(name)],
    [93, [0, arch]],
    [94, [1, 3, 16]],
    [97, guid],
  ];
}

for (const [who, options] of FIRMWARES) {
  test(`one address from offer to renewal for ${who}, on the rack's wire and behind a relay`, () => {
    for (const giaddr of [undefined, '10.0.7.1']) {
      const rack = new DhcpRack();
      const relay = [82, [1, 4, ...letters('ge-1'), 2, 3, ...letters('sw7')]] as const;
      const extra = giaddr === undefined ? { options } : { options: [...options, relay], giaddr };
      const machine = new Machine(rack, 1);
      const address = machine.boot(extra);
      assert.equal(machine.reboot(address, extra)?.yiaddr, address);
      assert.equal(machine.rebind(address, extra)?.yiaddr, address);
      assert.deepEqual(machine.reboot('192.0.2.77', extra)?.options.get(82), giaddr && relay[1]);
    }
  });
}
