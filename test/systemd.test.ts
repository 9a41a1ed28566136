import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const SYSTEMD = join(import.meta.dirname, '..', 'systemd');
const UNITS = { rackboot: textOf('rackboot.service'), region: textOf('rackboot-region.service') };
const missing = spawnSync('systemd-analyze', ['--version']).error !== undefined && 'systemd-analyze is not installed';

function textOf(name: string): string {
  return readFileSync(join(SYSTEMD, name), 'utf8');
}

for (const name of ['rackboot.service', 'rackboot-region.service']) {
  test(`systemd-analyze finds nothing wrong with ${name}`, { skip: missing }, () => {
    const directory = mkdtempSync(join(tmpdir(), 'rackboot-unit-'));
    try {
      // verify wants the program to be there: this checkout's, in the place of the installed one
      const unit = join(directory, name);
      writeFileSync(unit, textOf(name).replaceAll('/usr/bin/rackboot', join(SYSTEMD, 'rackboot')));
      const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', unit], { encoding: 'utf8' });
      assert.equal(`${stdout}${stderr}`, '');
      assert.equal(status, 0);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
}

test("the rack's unit grants two capabilities and no more", () => {
  const two = 'CAP_NET_BIND_SERVICE CAP_NET_RAW';
  assert.match(UNITS.rackboot, new RegExp(`^AmbientCapabilities=${two}$`, 'm'));
  assert.match(UNITS.rackboot, new RegExp(`^CapabilityBoundingSet=${two}$`, 'm'));
  assert.match(UNITS.rackboot, /^NoNewPrivileges=yes$/m);
});

test("the region's unit grants no capability, and its state to nobody else", () => {
  assert.match(UNITS.region, /^CapabilityBoundingSet=$/m);
  assert.doesNotMatch(UNITS.region, /^AmbientCapabilities/m);
  assert.match(UNITS.region, /^NoNewPrivileges=yes$/m);
  assert.match(UNITS.region, /^StateDirectoryMode=0700$/m);
});

test('each unit is run by an account that is made for it', () => {
  const accounts = Array.from(textOf('rackboot.sysusers').matchAll(/^u (\S+) /gm), ([, name]) => name);
  const users = Object.values(UNITS).map((unit) => /^User=(.*)$/m.exec(unit)?.[1]);
  assert.deepEqual(users, accounts);
});
