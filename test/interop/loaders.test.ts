import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { check } from '../../src/cli/check.ts';
import { installLoaders } from '../../src/cli/install-loaders.ts';
import { LAB_PACKAGES, LOADER_PACKAGES, missingPackages } from '../../src/lab/debian-packages.ts';
import { x86Kernel } from '../fixtures/programs.ts';

const NEEDS = [...LOADER_PACKAGES, ...LAB_PACKAGES.filter((need) => need.package === 'ipxe')];
const missing = await missingPackages(NEEDS);
const skip = missing.length > 0 ? `not installed: ${missing.map((need) => need.package).join(' ')}` : false;

const directory = mkdtempSync(join(tmpdir(), 'rackboot-loaders-'));
after(() => rmSync(directory, { recursive: true }));

function utf16(text: string): Buffer {
  return Buffer.from(text, 'utf16le');
}

describe("Debian's loaders", { skip }, () => {
  it('are as the table has it: what shim asks for, where GRUB looks, and that it knows no HTTP', () => {
    const shim = readFileSync('/usr/lib/shim/shimx64.efi.signed');
    for (const name of ['grubx64.efi', 'mmx64.efi']) assert.ok(shim.includes(utf16(name)), name);
    const grub = readFileSync('/usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed');
    assert.ok(grub.includes('$prefix/grub.cfg') && grub.includes('/grub\0'));
    assert.ok(!grub.includes('HTTP/1.1'), 'this GRUB has an http module: let it come by HTTP');
  });

  it('are installed whole, and then a file that names each of them has no fault', async () => {
    const { put } = await installLoaders(join(directory, 'loaders'), () => undefined, {
      unpack: () => Promise.reject(new Error('no network in this test')),
    });
    assert.ok(put.length >= 13, put.map(({ file }) => file).join('\n'));
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
