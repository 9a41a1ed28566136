import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as fc from 'fast-check';

import type { Asker } from '../../src/boot/asker.ts';
import type { BootState } from '../../src/boot/boot-states.ts';
import { createRoutes, type Resolution } from '../../src/boot/routes.ts';
import { DEBIAN, ip4, mac as macOf, testPlan } from './boot-plan-fixture.ts';

const ASKER = { rackAddress: ip4('192.0.2.1') };
const routes = createRoutes(testPlan());

function textOf(found: Resolution): string {
  assert.equal(found.kind, 'text');
  return found.kind === 'text' ? found.text : '';
}

describe('the table of routes', () => {
  it('serves the first script under both of its names, whatever the slashes', () => {
    for (const path of ['/boot.ipxe', 'boot.ipxe', '//boot.ipxe', '\\boot.ipxe', '/autoexec.ipxe', 'boot.ipxe\u00ff']) {
      assert.match(textOf(routes.resolve(path, ASKER)), /^#!ipxe\n:ask\n/);
    }
  });

  it('names the rack by the address that the request came to', () => {
    const text = textOf(routes.resolve('/boot.ipxe', { rackAddress: ip4('198.51.100.7') }));
    assert.match(text, /http:\/\/198\.51\.100\.7:5248\/ipxe\//);
  });

  it('serves a machine’s script for every spelling of its MAC', () => {
    for (const spelling of [
      '52:54:00:12:34:56',
      '52-54-00-12-34-56',
      '525400123456',
      '5254.0012.3456',
      '52-54-00-12-34-57',
    ]) {
      assert.match(textOf(routes.resolve(`/ipxe/${spelling}`, ASKER)), /^echo rackboot: node1 boots debian$/m);
    }
    assert.match(textOf(routes.resolve('/ipxe/02-00-00-00-00-01', ASKER)), /boots its own disk/);
  });

  it('knows the asking machine’s address', () => {
    const plan = testPlan({
      entries: [{ name: 'x', kernel: { path: 'k', file: '/k' }, initrd: [], cmdline: 'ip=${address}' }],
      default: 'x',
    });
    const asker = { ...ASKER, address: ip4('192.0.2.50') };
    assert.match(textOf(createRoutes(plan).resolve('/ipxe/02-00-00-00-00-01', asker)), / ip=192\.0\.2\.50 /);
  });

  it('marks a script with whose it is and what it says', () => {
    const mark = (path: string, asker: Asker = ASKER): unknown => {
      const found = createRoutes(testPlan()).resolve(path, asker);
      return found.kind === 'text' ? found.script : found;
    };
    assert.deepEqual(mark('/ipxe/52-54-00-12-34-56'), { of: macOf('52:54:00:12:34:56'), entry: 'debian' });
    assert.deepEqual(mark('/ipxe/02-00-00-00-00-01'), { of: macOf('02:00:00:00:00:01') });
    assert.deepEqual(mark('/ipxe/02-00-00-00-00-01', { ...ASKER, host: 'node1' }), {
      of: macOf('02:00:00:00:00:01'),
      entry: 'debian',
      host: 'node1',
    });
    assert.equal(mark('/boot.ipxe'), undefined);
  });

  it('asks what machines had for each script anew', () => {
    let state: BootState | undefined;
    const asked = createRoutes(testPlan({ entries: [{ ...DEBIAN, once: 'delivered' }] }), { of: () => state });
    assert.match(textOf(asked.resolve('/ipxe/52-54-00-12-34-56', ASKER)), /^kernel /m);
    state = { kind: 'done', by: 'delivered', since: 0 };
    assert.doesNotMatch(textOf(asked.resolve('/ipxe/52-54-00-12-34-56', ASKER)), /^kernel /m);
  });

  const FILES: readonly (readonly [string, string, string])[] = [
    ['/undionly.kpxe', '/usr/lib/ipxe/undionly.kpxe', '/usr/lib/ipxe/undionly.kpxe'],
    ['snponly-arm64.efi', '/usr/lib/ipxe/snponly-arm64.efi', '/usr/lib/ipxe/snponly-arm64.efi'],
    ['snponly.efi', '/usr/lib/ipxe/snponly.efi', '/usr/lib/ipxe/snponly.efi'],
    ['/debian/vmlinuz', '/srv/files/debian/vmlinuz', '/srv/files/debian/vmlinuz'],
    ['/debian/my firmware.cpio', '/srv/firmware.cpio', '/srv/firmware.cpio'],
    ['/some/other/file', '/srv/files/some/other/file', '/srv/files'],
    ['/.hidden', '/srv/files/.hidden', '/srv/files'],
  ];
  for (const [path, file, root] of FILES) {
    it(`finds ${path} at ${file}`, () => {
      const ofEntry = path.startsWith('/debian/') ? { isOfEntry: true } : {};
      assert.deepEqual(routes.resolve(path, ASKER), { kind: 'file', file, root, immutable: false, ...ofEntry });
    });
  }

  it('finds a file that the Plan names in capitals, too, unless there is one of that very name', () => {
    const orElse = {
      kind: 'file',
      file: '/usr/lib/ipxe/snponly.efi',
      root: '/usr/lib/ipxe/snponly.efi',
      immutable: false,
    };
    const found = { kind: 'file', file: '/srv/files/SNPONLY.EFI', root: '/srv/files', immutable: false, orElse };
    assert.deepEqual(routes.resolve('\\SNPONLY.EFI', ASKER), found);
  });

  const GRUB_LISTS: readonly (readonly [string, boolean])[] = [
    ['/grub/x86_64-efi/command.lst', true],
    ['/boot/grub/i386-pc/fs.lst', true],
    ['arm64-efi/crypto.lst', true],
    ['/grub/x86_64-efi/terminal.lst', true],
    ['/grub/x86_64-efi/moddep.lst', false],
    ['/grub/x86_64-efi/normal.mod', false],
    ['/lists/command.lst', false],
    ['/grub/x86_64-efi/command.lst/x', false],
  ];
  for (const [path, isEmpty] of GRUB_LISTS) {
    it(`${isEmpty ? 'has an empty file' : 'has nothing'} at ${path} where there is none on disk`, () => {
      const found = routes.resolve(path, ASKER);
      assert.ok(found.kind === 'file' && found.root === '/srv/files');
      const expected = { kind: 'text', text: '', contentType: 'text/plain; charset=utf-8' };
      assert.deepEqual(found.orElse, isEmpty ? expected : undefined);
    });
  }

  const MISSING: readonly (readonly [string, string])[] = [
    ['/', 'this rack lists no directories'],
    ['', 'this rack lists no directories'],
    ['/ipxe/52-54-00', '"52-54-00" is not a MAC address: expected one like 52-54-00-12-34-56'],
    ['/ipxe/52-54-00-12-34-56/x', '"52-54-00-12-34-56/x" is not a MAC address: expected one like 52-54-00-12-34-56'],
    ['/../etc/passwd', 'the path climbs out with ".." or holds a control character'],
    ['/a\0b', 'the path climbs out with ".." or holds a control character'],
  ];
  for (const [path, reason] of MISSING) {
    it(`has nothing at ${JSON.stringify(path)}`, () => {
      assert.deepEqual(routes.resolve(path, ASKER), { kind: 'missing', reason });
    });
  }

  const SCRIPTS: readonly (readonly [string, RegExp])[] = [
    ['/grub/grub.cfg', /source "\/grub\/grub\.cfg-\$net_default_mac"/],
    ['/EFI/debian/grub.cfg', /source /],
    ['/efi/BOOT/grub.cfg', /source /],
    ['grub.cfg', /source /],
    ['/grub/grub.cfg-52:54:00:12:34:56', /^echo 'rackboot: node1 boots debian'$/m],
    ['/grub/grub.cfg-01-52-54-00-12-34-56', /^echo 'rackboot: node1 boots debian'$/m],
    ['/grub/grub.cfg-C0000232', /^echo 'rackboot: node1 boots debian'$/m],
    ['/grub/grub.cfg-', /^echo 'rackboot: node1 boots debian'$/m],
    ['/pxelinux.cfg/01-52-54-00-12-34-56', /^ {2}LINUX tftp:/m],
    ['/pxelinux.cfg/564d3412-5678-90ab-cdef-0123456789ab', /^ {2}LINUX tftp:/m],
    ['/pxelinux.cfg/C0000232', /^ {2}LINUX tftp:/m],
    ['/pxelinux.cfg/default', /^ {2}LINUX tftp:/m],
    ['/lpxelinux/pxelinux.cfg/01-52-54-00-12-34-56', /^ {2}LINUX http:/m],
  ];
  for (const [path, expected] of SCRIPTS) {
    it(`serves a script at ${path}`, () => {
      const asker = { ...ASKER, address: ip4('192.0.2.50'), mac: macOf('52:54:00:12:34:56') };
      assert.match(textOf(routes.resolve(path, asker)), expected);
    });
  }

  it('boots the disk of a PXELINUX that it does not know, rather than guess', () => {
    const plan = testPlan({ default: 'debian' });
    assert.match(textOf(createRoutes(plan).resolve('/pxelinux.cfg/default', ASKER)), /LOCALBOOT 0\n$/);
  });

  it('lets a PXELINUX go on to its next name', () => {
    for (const name of ['C000023', '564d3412-5678-90ab-cdef-0123456789ab', 'x']) {
      assert.equal(routes.resolve(`/pxelinux.cfg/${name}`, ASKER).kind, 'missing');
    }
  });

  it('serves the scripts of a loader in a folder of the operator’s own beside it', () => {
    const hosts = [
      {
        name: 'a',
        macs: [macOf('02:00:00:00:00:0a')],
        boot: 'debian',
        loaders: { bios: { path: 'l/lpxelinux.0', file: '/l' } },
      },
      {
        name: 'b',
        macs: [macOf('02:00:00:00:00:0b')],
        boot: 'debian',
        loaders: { uefi: { path: 'sb/shimx64.efi', file: '/s' } },
      },
      {
        name: 'c',
        macs: [macOf('02:00:00:00:00:0c')],
        boot: 'debian',
        loaders: { uefi: { path: 'x/ipxe.efi', file: '/i' } },
      },
    ];
    const own = createRoutes(testPlan({}, hosts));
    assert.match(textOf(own.resolve('/l/pxelinux.cfg/01-02-00-00-00-00-0a', ASKER)), /LINUX http:/);
    assert.match(textOf(own.resolve('/sb/grub.cfg', ASKER)), /source/);
    assert.match(textOf(own.resolve('/x/autoexec.ipxe', ASKER)), /^#!ipxe/);
    assert.equal(routes.resolve('/x/autoexec.ipxe', ASKER).kind, 'file');
  });

  it('serves a loader or kernel that the file names in a folder of scripts, and the scripts beside it', () => {
    const kernel = { path: 'ipxe/vmlinuz', file: '/srv/files/ipxe/vmlinuz' };
    const loaders = { uefi: { path: 'ipxe/snponly.efi', file: '/srv/files/ipxe/snponly.efi' } };
    const own = createRoutes(testPlan({ loaders, entries: [{ ...DEBIAN, kernel }] }));
    for (const { path, file } of [kernel, loaders.uefi]) {
      const found = own.resolve(`/${path}`, ASKER);
      assert.equal(found.kind === 'file' ? found.file : found.kind, file);
    }
    assert.match(textOf(own.resolve('/ipxe/52-54-00-12-34-56', ASKER)), /^kernel /m);
    assert.match(textOf(own.resolve('/ipxe/autoexec.ipxe', ASKER)), /^:ask$/m);
  });

  it('leaves for the disk as the host says, else as the catalogue does', () => {
    const node = { name: 'a', macs: [macOf('02:00:00:00:00:0a')], boot: 'local' };
    const exitOf = (host: typeof node & { exit?: 'exit-1' }): string =>
      textOf(createRoutes(testPlan({ exit: 'exit' }, [host])).resolve('/ipxe/02-00-00-00-00-0a', ASKER));
    assert.match(exitOf(node), /\nexit\n$/);
    assert.match(exitOf({ ...node, exit: 'exit-1' }), /\nexit 1\n$/);
  });

  it('gives a Raspberry Pi the shared file where the folder of its serial number has none', () => {
    assert.deepEqual(routes.resolve('/1a2b3c4d/start4.elf', ASKER), {
      kind: 'file',
      file: '/srv/files/1a2b3c4d/start4.elf',
      root: '/srv/files',
      immutable: false,
      orElse: { kind: 'file', file: '/srv/files/start4.elf', root: '/srv/files', immutable: false },
    });
  });

  const SHA256 = 'a'.repeat(64);
  const SHELF = '/var/lib/rackboot/images/sha256';
  const withImages = createRoutes({ ...testPlan(), images: { shelf: SHELF, sources: [], parallel: 1 } });

  it('serves what is on the shelf of images by its content, under any name, whether the Plan names it or not', () => {
    for (const name of ['boot-kernel', 'squashfs']) {
      assert.deepEqual(withImages.resolve(`/images/${SHA256}/${name}`, ASKER), {
        kind: 'file',
        file: `${SHELF}/${SHA256}`,
        root: SHELF,
        immutable: true,
      });
    }
  });

  it('takes nothing else for a file of an image', () => {
    for (const path of [
      `/images/${SHA256}`,
      `/images/${SHA256}/a/b`,
      `/images/${'A'.repeat(64)}/k`,
      `/images/${'a'.repeat(63)}/k`,
    ]) {
      const found = withImages.resolve(path, ASKER);
      assert.equal(found.kind === 'file' && found.immutable, false, path);
    }
    const without = routes.resolve(`/images/${SHA256}/k`, ASKER);
    assert.equal(without.kind === 'file' && without.root, '/srv/files');
  });

  it('knows a kernel of an image as one that a machine boots, on each architecture', () => {
    const files = (sum: string) => ({
      kernel: { path: `images/${sum}/k`, file: `${SHELF}/${sum}` },
      initrd: [],
      cmdline: '',
    });
    const entry = { name: 'noble', ...files(SHA256), others: { arm64: files('b'.repeat(64)) } };
    const plan = { ...testPlan({ entries: [entry] }), images: { shelf: SHELF, sources: [], parallel: 1 } };
    for (const sum of [SHA256, 'b'.repeat(64)]) {
      const found = createRoutes(plan).resolve(`/images/${sum}/k`, ASKER);
      assert.equal(found.kind === 'file' && found.isOfEntry, true);
    }
  });

  it('serves a device tree under its path, but not as what a machine has to have', () => {
    const dtb = { path: 'board/board.dtb', file: '/srv/trees/board.dtb' };
    const found = createRoutes(testPlan({ entries: [{ ...DEBIAN, dtb }] })).resolve('/board/board.dtb', ASKER);
    assert.deepEqual(found, { kind: 'file', file: dtb.file, root: dtb.file, immutable: false });
  });

  it('serves all there is in the folder of a U-Boot once more, and its script there', () => {
    const plan = { ...testPlan(), images: { shelf: SHELF, sources: [], parallel: 1 } };
    const served = createRoutes(plan);
    const at = (path: string): unknown => {
      const found = served.resolve(path, ASKER);
      return found.kind === 'file' ? found.file : found.kind === 'text' ? found.text.split('\n', 1)[0] : found.reason;
    };
    assert.equal(at('u-boot-arm64/debian/vmlinuz'), '/srv/files/debian/vmlinuz');
    assert.equal(at(`u-boot-armhf/images/${SHA256}/k`), `${SHELF}/${SHA256}`);
    assert.match(String(at('u-boot-arm64/see-pxelinux.cfg')), /^There is no program/);
    assert.equal(at('u-boot-arm64/pxelinux.cfg/01-52-54-00-12-34-56'), '# host node1 boots the boot entry "debian"');
    assert.equal(
      at('u-boot-arm64/pxelinux.cfg/default-arm'),
      '"default-arm" is not a MAC address: expected one like 52-54-00-12-34-56',
    );
    assert.equal(
      at('petitboot-ppc64el/pxelinux.cfg/01-52-54-00-12-34-56'),
      '# host node1 boots the boot entry "debian"',
    );
  });

  it('lets the operator have files of his own in such a folder', () => {
    const found = routes.resolve('u-boot-arm64/boot.scr', ASKER);
    assert.equal(found.kind === 'file' && found.file, '/srv/files/u-boot-arm64/boot.scr');
    assert.equal(found.kind === 'file' && found.orElse?.kind === 'file' && found.orElse.file, '/srv/files/boot.scr');
  });

  it('leads any path into its root or nowhere', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.webPath()), (path) => {
        for (
          let found: Resolution | undefined = routes.resolve(path, ASKER);
          found?.kind === 'file';
          found = found.orElse
        ) {
          assert.ok(found.file === found.root || found.file.startsWith(`${found.root}/`));
        }
      }),
      { seed: 20261122, numRuns: 2000 },
    );
  });
});
