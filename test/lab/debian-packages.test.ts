import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { missingPackages, missingText, type PackageNeed } from '../../src/lab/debian-packages.ts';

const NEEDS: readonly PackageNeed[] = [
  { package: 'iproute2', provides: ['ip'] },
  { package: 'ovmf', provides: ['/usr/share/OVMF/CODE.fd', '/usr/share/OVMF/VARS.fd'] },
];

function on(...files: readonly string[]) {
  return (path: string): Promise<boolean> => Promise.resolve(files.includes(path));
}

describe('missingPackages', () => {
  it('finds nothing missing when every file and command is there', async () => {
    const exists = on('/usr/sbin/ip', '/usr/share/OVMF/CODE.fd', '/usr/share/OVMF/VARS.fd');
    assert.deepEqual(await missingPackages(NEEDS, exists), []);
  });

  it('takes a package for missing when one of its files is', async () => {
    const missing = await missingPackages(NEEDS, on('/sbin/ip', '/usr/share/OVMF/CODE.fd'));
    assert.deepEqual(
      missing.map((need) => need.package),
      ['ovmf'],
    );
  });

  it('does not take a file for a command', async () => {
    const missing = await missingPackages(NEEDS, on('ip', '/usr/share/OVMF/CODE.fd', '/usr/share/OVMF/VARS.fd'));
    assert.deepEqual(
      missing.map((need) => need.package),
      ['iproute2'],
    );
  });
});

describe('missingText', () => {
  it('names each package, what of it is used, and one command for all', () => {
    assert.equal(
      missingText(NEEDS),
      [
        'missing Debian packages:',
        '  iproute2 (ip)',
        '  ovmf (/usr/share/OVMF/CODE.fd, /usr/share/OVMF/VARS.fd)',
        'install them with: apt-get install iproute2 ovmf',
      ].join('\n'),
    );
  });
});
