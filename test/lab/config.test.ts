import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatIp4, parseIp4 } from '../../src/addr/ip4.ts';
import { formatMac } from '../../src/addr/mac.ts';
import { LAB, labConfig } from '../../src/lab/config.ts';
import { BRIDGE } from '../../src/lab/network.ts';
import type { StoredFile } from '../../src/plan/stored-image.ts';
import { compilePlan } from '../../src/plan/compile-plan.ts';

const PLACES = {
  state: '/tmp/a lab/state',
  control: '/tmp/a lab/c.sock',
  files: '/tmp/a lab/files',
  interface: BRIDGE,
  kernelWords: 'console=ttyAMA0',
  loaders: { bios: 'none', uefi: 'snponly' },
};

function imageFile(name: string): StoredFile {
  return { name, ftype: name, sha256: name, size: 1 };
}

function compileLabConfig() {
  const address = parseIp4(LAB.rack);
  assert.ok(address !== undefined);
  return compilePlan(labConfig(PLACES), 'rackboot.yaml', {
    hostName: 'anything',
    interfaces: [{ name: BRIDGE, address, prefix: LAB.prefix }],
    excuses: () => false,
    fileExists: (path) => path.startsWith(`${PLACES.files}/lab/`) || path.startsWith(`${PLACES.state}/loaders/`),
    directoryExists: () => true,
  });
}

describe('labConfig', () => {
  it('is a config without any fault', () => {
    assert.deepEqual(compileLabConfig().faults, []);
  });

  it('has the machine boot the lab entry at its own address, and names where the rack is on its command line', () => {
    const { plan } = compileLabConfig();
    const [host] = plan?.hosts ?? [];
    assert.ok(plan !== undefined && host?.address !== undefined);
    assert.deepEqual(
      host.macs.map((mac) => formatMac(mac)),
      [LAB.machine.mac],
    );
    assert.deepEqual([host.name, formatIp4(host.address), host.boot], ['node1', '192.168.127.221', 'lab']);
    assert.deepEqual(
      plan.boot.entries.map(({ cmdline }) => cmdline),
      ['console=ttyAMA0 rackboot=http://192.168.127.1:5248'],
    );
  });

  it('serves the loader that it was given, from where loaders are installed, and looks for no other', () => {
    const { loaders } = compileLabConfig().plan?.boot ?? {};
    assert.equal(loaders?.uefi?.file, `${PLACES.state}/loaders/snponly.efi`);
    assert.equal(loaders.bios, undefined);
  });

  it('has the machine boot an image that the rack imports, where it is given a mirror', () => {
    const mirror = { url: 'file:///tmp/a%20lab/mirror/', keyring: '/tmp/a lab/mirror.asc' };
    const address = parseIp4(LAB.rack);
    assert.ok(address !== undefined);
    const image = {
      os: 'debian',
      release: 'lab',
      arch: 'amd64',
      subarch: 'generic',
      subarches: [],
      kflavor: 'generic',
    };
    const { plan, faults } = compilePlan(labConfig({ ...PLACES, mirror }), 'rackboot.yaml', {
      hostName: 'anything',
      interfaces: [{ name: BRIDGE, address, prefix: LAB.prefix }],
      excuses: () => false,
      fileExists: () => true,
      directoryExists: () => true,
      images: () => [
        { ...image, label: 'stable', version: '1', files: [imageFile('boot-kernel'), imageFile('boot-initrd')] },
      ],
    });
    assert.deepEqual(faults, []);
    assert.deepEqual(
      plan?.boot.entries.map(({ kernel, cmdline }) => [kernel.path, cmdline]),
      [['images/boot-kernel/boot-kernel', 'console=ttyAMA0 rackboot=http://192.168.127.1:5248']],
    );
    assert.deepEqual(plan.images?.sources[0], { name: 'lab', ...mirror, keep: 1, selections: [] });
  });
});
