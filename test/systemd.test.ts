import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const SYSTEMD = join(import.meta.dirname, '..', 'systemd');
const UNIT = readFileSync(join(SYSTEMD, 'rackboot.service'), 'utf8');
const missing = spawnSync('systemd-analyze', ['--version']).error !== undefined && 'systemd-analyze is not installed';

test('systemd-analyze finds nothing wrong with the unit', { skip: missing }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'rackboot-unit-'));
  try {
    // verify wants the program to be there: this checkout's, in the place of the installed one
    const unit = join(directory, 'rackboot.service');
    writeFileSync(unit, UNIT.replaceAll('/usr/bin/rackboot', join(SYSTEMD, 'rackboot')));
    const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', unit], { encoding: 'utf8' });
    assert.equal(`${stdout}${stderr}`, '');
    assert.equal(status, 0);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('the unit grants two capabilities and no more', () => {
  const two = 'CAP_NET_BIND_SERVICE CAP_NET_RAW';
  assert.match(UNIT, new RegExp(`^AmbientCapabilities=${two}$`, 'm'));
  assert.match(UNIT, new RegExp(`^CapabilityBoundingSet=${two}$`, 'm'));
  assert.match(UNIT, /^NoNewPrivileges=yes$/m);
});
