import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { installLoaders } from '../../src/cli/install-loaders.ts';
import { loaderDirectories, loaderInventory } from '../../src/cli/loader-inventory.ts';

function scratch(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'rackboot-loaders-test-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

function put(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

test('loaders are taken from installed packages, and else from packages unpacked aside', async (t) => {
  const directory = scratch(t);
  const root = join(directory, 'root');
  for (const name of ['pxelinux.0', 'lpxelinux.0']) put(join(root, 'usr/lib/PXELINUX', name), `installed ${name}`);
  const asked: string[] = [];
  const { put: done, missing } = await installLoaders(join(directory, 'loaders'), () => undefined, {
    root,
    unpack: async ({ name, architecture = 'all' }, into) => {
      asked.push(`${name} ${architecture}`);
      if (name !== 'shim-signed' || architecture !== 'arm64') throw new Error('first line\nE: no such package');
      put(join(into, 'usr/lib/shim/shimaa64.efi.signed'), 'from the package');
    },
  });
  assert.deepEqual(asked, [
    'ipxe all',
    'shim-signed amd64',
    'shim-helpers-amd64-signed amd64',
    'grub-efi-amd64-signed amd64',
    'shim-signed arm64',
    'shim-helpers-arm64-signed arm64',
    'grub-efi-arm64-signed arm64',
    'grub-efi-ia32-bin amd64',
    'syslinux-common all',
  ]);
  assert.deepEqual(
    done.map(({ file, from }) => [file, from]),
    [
      [join(directory, 'loaders/shimaa64.efi'), 'shim-signed:arm64 /usr/lib/shim/shimaa64.efi.signed'],
      [join(directory, 'loaders/pxelinux.0'), join(root, 'usr/lib/PXELINUX/pxelinux.0')],
      [join(directory, 'loaders/lpxelinux.0'), join(root, 'usr/lib/PXELINUX/lpxelinux.0')],
    ],
  );
  assert.deepEqual(readdirSync(join(directory, 'loaders')), ['lpxelinux.0', 'pxelinux.0', 'shimaa64.efi']);
  assert.equal(readFileSync(join(directory, 'loaders/shimaa64.efi'), 'utf8'), 'from the package');
  assert.equal(statSync(join(directory, 'loaders/pxelinux.0')).mode & 0o777, 0o644);
  assert.deepEqual(missing[0], { package: 'ipxe', reason: 'E: no such package' });
});

test('the inventory says where each file was found, the operator’s own before what was installed', (t) => {
  const directory = scratch(t);
  const config = join(directory, 'rackboot.yaml');
  writeFileSync(config, `rack: { state: ${directory} }\nsubnets: [not yet\n`);
  const places = loaderDirectories(config);
  const [files, installed] = [join(directory, 'files'), join(directory, 'loaders')];
  assert.deepEqual(places, { files, installed, imported: [] });
  put(join(directory, 'loaders/shimaa64.efi'), 'x');
  put(join(directory, 'loaders/grubaa64.efi'), 'x');
  put(join(directory, 'files/grubaa64.efi'), 'x');
  const shim = loaderInventory(places).find(({ firmware, word }) => firmware === 'uefi-arm64' && word === 'shim');
  assert.deepEqual(
    shim?.files.map(({ path, found }) => [path, found]),
    [
      ['shimaa64.efi', join(directory, 'loaders/shimaa64.efi')],
      ['grubaa64.efi', join(directory, 'files/grubaa64.efi')],
      ['mmaa64.efi', undefined],
    ],
  );
});

test('the inventory finds a loader that was imported with images, where there is no other', () => {
  // Readable for everyone, and never a loader
  const imported = [new Map([['grubia32.efi', '/etc/hostname']])];
  const places = { files: '/nowhere', installed: '/nowhere', imported };
  const grub = loaderInventory(places).find(({ firmware }) => firmware === 'uefi-ia32');
  assert.equal(grub?.files[0]?.found, '/etc/hostname');
});
