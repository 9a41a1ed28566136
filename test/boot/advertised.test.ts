import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { formatIp4 } from '../../src/addr/ip4.ts';
import { formatMac } from '../../src/addr/mac.ts';
import { architectureOf } from '../../src/boot/architectures.ts';
import { bootOffer } from '../../src/boot/boot-offer.ts';
import type { BootClient } from '../../src/boot/firmware.ts';
import { createRoutes, type Resolution } from '../../src/boot/routes.ts';
import { LOADER_WORDS } from '../../src/plan/loader-table.ts';
import { EXIT_METHODS, LOADER_KINDS, type Plan } from '../../src/plan/plan.ts';
import { planOf, SUBNET } from '../plan/rack-a1.ts';
import { ip4, mac } from './boot-plan-fixture.ts';

const RACK = ip4('192.168.127.100');
const NODE1 = mac('52:54:00:12:34:56');
const HTTP = 'http://192.168.127.100:5248/';
const ASKER = { rackAddress: RACK, address: ip4('192.168.127.50'), mac: NODE1 };
const ARCHS = Array.from({ length: 0x30 }, (_, arch) => arch);

/** Clients of one architecture, from plain firmware to an iPXE. */
function clientsOf(arch: number): readonly BootClient[] {
  const plain = { mac: NODE1, arch, userClasses: [] };
  const digits = String(arch).padStart(5, '0');
  return [
    plain,
    { ...plain, vendorClass: `PXEClient:Arch:${digits}:UNDI:003000` },
    { ...plain, vendorClass: `HTTPClient:Arch:${digits}:UNDI:003000` },
    { ...plain, userClasses: ['iPXE'], ipxe: { features: [19] } },
    { ...plain, userClasses: ['iPXE'], ipxe: { features: [] } },
  ];
}

/** A compiled file in which host node1 has this loader, and boots this. */
function planWith(loader: string, boot: string, exit: string): Plan {
  const text = `${SUBNET}
boot:
  entries: { debian: { kernel: debian/vmlinuz, initrd: [debian/a, debian/b], dtb: debian/tree, cmdline: "q" } }
  loaders: { uefi-ia32: ia32/ipxe.efi, uefi-arm64: snponly }
hosts: [{ name: node1, mac: "52:54:00:12:34:56", boot: ${boot}, exit: ${exit}, loaders: { ${loader} } }]
`;
  return planOf(text, { fileExists: () => true });
}

const CHOICES = LOADER_KINDS.flatMap((kind) => [
  ...Object.keys(LOADER_WORDS[kind]).map((word) => `${kind}: ${word}`),
  ...['own/first.bin', 'sb/shimx64.efi', 'g/grubx64.efi', 'p/pxelinux.0', 'l/lpxelinux.0'].map(
    (path) => `${kind}: ${path}`,
  ),
]);

/** Every path that a served script tells a machine to fetch, in any of the languages. `folder`: which its own paths are below. */
function namedIn(text: string, folder: string): string[] {
  const urls = text.matchAll(/(?:http:\/\/192\.168\.127\.100:5248|tftp:\/\/192\.168\.127\.100)\/([^\s,]+)/g);
  const grub = text.matchAll(/^ *(?:el)?if (?:linux|initrd|devicetree|source) (.*); then/gm);
  const words = Array.from(grub, ([, line = '']) => line.match(/(?<=['"])\/[^'"]+/g) ?? []).flat();
  const bare = text.matchAll(/^ {2}(?:KERNEL|INITRD|FDT) ([^:\s]+)$/gm);
  const below = Array.from(bare, ([, path = '']) => `${folder}/${path}`);
  const paths = [...below, ...Array.from(urls, ([, path = '']) => decodeURIComponent(path)), ...words];
  const own = paths.map((path) => {
    return path.replace('${netX/mac:hexhyp}', formatMac(NODE1, '-')).replace('$net_default_mac', formatMac(NODE1));
  });
  return own.filter((path) => !path.startsWith('${'));
}

/** Follows every path from this one; fails at one that nothing is served for, or that the Plan does not name. */
function follow(plan: Plan, path: string, seen: Set<string>): void {
  if (seen.has(path)) return;
  seen.add(path);
  const found: Resolution = createRoutes(plan).resolve(path, ASKER);
  assert.notEqual(found.kind, 'missing', `${path} is advertised and not served`);
  // A file that the Plan names is its own root: it was there when the Plan was made
  if (found.kind === 'file') assert.equal(found.root, found.file, `${path} is advertised, and nothing checked it`);
  if (found.kind === 'text')
    for (const next of namedIn(found.text, path.split('/', 1)[0] ?? '')) follow(plan, next, seen);
}

describe('what is advertised is served', () => {
  for (const choice of CHOICES) {
    it(`to every architecture of a host with ${choice}`, () => {
      for (const [boot, exit] of [['debian', 'auto'], ...EXIT_METHODS.map((method) => ['local', method])] as const) {
        const plan = planWith(choice, boot ?? '', exit ?? '');
        const seen = new Set<string>();
        for (const client of ARCHS.flatMap(clientsOf)) {
          const { bootFile, script, nextServer } = bootOffer(plan, client, RACK, { loaders: plan.hosts[0]?.loaders });
          if (bootFile === undefined) continue;
          assert.equal(formatIp4(nextServer ?? RACK), '192.168.127.100');
          follow(plan, bootFile.startsWith(HTTP) ? decodeURIComponent(bootFile.slice(HTTP.length)) : bootFile, seen);
          assert.ok(script !== undefined, `${bootFile} leads nowhere`);
          follow(plan, script, seen);
        }
        const loader = Object.values(plan.hosts[0]?.loaders ?? {}).at(0);
        for (const { path } of loader?.companions ?? []) follow(plan, path, seen);
        assert.ok(seen.has(loader?.path ?? ''), `${choice} is never offered`);
      }
    });
  }

  it('knows more architectures than one', () => {
    assert.deepEqual(
      ARCHS.filter((arch) => architectureOf(arch) !== undefined),
      [0, 6, 7, 10, 11, 12, 14, 15, 16, 18, 19, 21, 22, 23, 24],
    );
  });
});
