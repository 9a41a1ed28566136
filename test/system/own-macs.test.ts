import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { formatMac } from '../../src/addr/mac.ts';
import { readOwnMacs } from '../../src/system/own-macs.ts';

const root = mkdtempSync(join(tmpdir(), 'rackboot-macs-'));
after(() => rmSync(root, { recursive: true }));

test('every interface that has a MAC is read; one without, one that goes meanwhile and a kernel that shows none are no trouble', () => {
  for (const [name, address] of [
    ['eth0', '52:54:00:00:00:01\n'],
    ['lo', '00:00:00:00:00:00\n'],
    ['ib0', '80:00:00:48:fe:80:00:00:00:00:00:00:f4:52:14:03:00:11:22:33\n'],
    ['tun0', '\n'],
  ] as const) {
    mkdirSync(join(root, name));
    writeFileSync(join(root, name, 'address'), address);
  }
  mkdirSync(join(root, 'gone'));
  assert.deepEqual(
    readOwnMacs(root).map((mac) => formatMac(mac)),
    ['52:54:00:00:00:01'],
  );
  assert.deepEqual(readOwnMacs(join(root, 'nowhere')), []);
});
