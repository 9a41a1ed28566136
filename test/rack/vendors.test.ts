import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { parseMac, type Mac } from '../../src/addr/mac.ts';
import { Vendors } from '../../src/rack/vendors.ts';

const directory = mkdtempSync(join(tmpdir(), 'rackboot-vendors-'));
const file = join(directory, 'vendors.txt');
writeFileSync(
  file,
  [
    '001122 Inc\tabcdef',
    'Acme\t001122 445566',
    'IEEE Registration Authority\t70b3d5 8c1f64',
    'Large Parts\t70b3d5a',
    'Small Parts\t70b3d5b12',
    '',
  ].join('\n'),
);
after(() => rmSync(directory, { recursive: true }));

function mac(text: string): Mac {
  return parseMac(text) ?? (0 as Mac);
}

const KNOWN: readonly (readonly [string, string | undefined])[] = [
  ['00:11:22:33:44:55', 'Acme'],
  ['44:55:66:00:00:00', 'Acme'],
  ['70:b3:d5:a0:00:01', 'Large Parts'],
  ['70:b3:d5:b1:20:01', 'Small Parts'],
  ['70:b3:d5:b1:30:01', undefined],
  ['a8:cd:ef:00:00:01', undefined],
  ['02:11:22:33:44:55', undefined],
  ['46:55:66:00:00:00', undefined],
];

for (const [text, vendor] of KNOWN) {
  test(`${text} is of ${vendor ?? 'nobody that is known'}`, () => {
    const vendors = new Vendors(file);
    assert.equal(vendors.of(mac(text)), vendor);
    assert.equal(vendors.of(mac(text)), vendor);
  });
}

test('without the file nobody is known', () => {
  assert.equal(new Vendors(join(directory, 'none')).of(mac('00:11:22:33:44:55')), undefined);
});

test('the list that comes with rackboot knows who makes servers and switches', () => {
  const vendors = new Vendors(join(import.meta.dirname, '../../etc/vendors.txt'));
  const found = ['00:25:90:00:00:01', 'b8:27:eb:00:00:01', '00:00:0c:00:00:01', '00:02:c9:00:00:01'].map((text) =>
    vendors.of(mac(text)),
  );
  assert.deepEqual(found, [
    'Super Micro Computer',
    'Raspberry Pi Foundation',
    'Cisco Systems',
    'Mellanox Technologies',
  ]);
});
