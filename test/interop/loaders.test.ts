import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { geteuid } from 'node:process';
import { after, before, describe, it } from 'node:test';

import { check } from '../../src/cli/check.ts';
import { installLoaders } from '../../src/cli/install-loaders.ts';
import { cacheDirectory } from '../../src/lab/guest-files.ts';
import { fetchLoader, type LabLoader } from '../../src/lab/loader.ts';
import { x86Kernel } from '../fixtures/programs.ts';

/** As everywhere in the tests, unpacked and not installed: these packages may change how this computer itself boots. */
const FETCHED: readonly (readonly ['bios-pxe' | 'uefi', LabLoader])[] = [
  ['bios-pxe', 'undionly'],
  ['bios-pxe', 'pxelinux'],
  ['bios-pxe', 'lpxelinux'],
  ['uefi', 'shim'],
];
const skip = geteuid?.() === 0 ? false : 'the packages are fetched for root alone';

const directory = mkdtempSync(join(tmpdir(), 'rackboot-loaders-'));
after(() => rmSync(directory, { recursive: true }));

function utf16(text: string): Buffer {
  return Buffer.from(text, 'utf16le');
}

function unpackedPackage(name: string): string {
  return join(cacheDirectory(), 'lab', `${name}-amd64`);
}

describe("Debian's loaders", { skip }, () => {
  before(async () => {
    for (const [firmware, loader] of FETCHED) await fetchLoader(firmware, loader, console.error);
  });

  it('are as the table has it: what shim asks for, where GRUB looks, and that it knows no HTTP', () => {
    const shim = readFileSync(join(unpackedPackage('shim-signed'), 'usr/lib/shim/shimx64.efi.signed'));
    for (const name of ['grubx64.efi', 'mmx64.efi']) assert.ok(shim.includes(utf16(name)), name);
    const grub = readFileSync(
      join(unpackedPackage('grub-efi-amd64-signed'), 'usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed'),
    );
    assert.ok(grub.includes('$prefix/grub.cfg') && grub.includes('/grub\0'));
    assert.ok(!grub.includes('HTTP/1.1'), 'this GRUB has an http module: let it come by HTTP');
  });

  it('are installed whole, and then a file that names each of them has no fault', async () => {
    const { put } = await installLoaders(join(directory, 'loaders'), () => undefined, {
      root: join(directory, 'nothing-installed'),
      unpack: async ({ name, architecture = 'amd64' }, into) => {
        if (architecture !== 'amd64') throw new Error('not fetched for this test');
        cpSync(unpackedPackage(name), into, { recursive: true });
      },
    });
    const names = put.map(({ file }) => file);
    assert.ok(names.length >= 12, names.join('\n'));
    mkdirSync(join(directory, 'files'));
    writeFileSync(join(directory, 'files/vmlinuz'), x86Kernel());
    const config = join(directory, 'rackboot.yaml');
    writeFileSync(
      config,
      `rack: { name: a1, state: ${directory} }
subnets: [{ cidr: 192.0.2.0/24, management: dhcp }]
boot: { entries: { a: { kernel: vmlinuz } } }
hosts:
  - { name: n1, mac: "52:54:00:00:00:01", loaders: { bios: undionly, uefi: snponly } }
  - { name: n2, mac: "52:54:00:00:00:02", loaders: { bios: ipxe, uefi: ipxe } }
  - { name: n3, mac: "52:54:00:00:00:03", loaders: { bios: pxelinux, uefi: shim } }
  - { name: n4, mac: "52:54:00:00:00:04", loaders: { bios: lpxelinux, uefi: grub } }
`,
    );
    const lines: string[] = [];
    check({ config }, (line) => lines.push(line));
    assert.deepEqual(lines, ['ok: 1 subnet, 4 hosts, 1 boot entry']);
  });
});
