import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { INIT_SCRIPT, LEASE_SCRIPT } from '../../src/lab/init-script.ts';

const SCRIPTS = { INIT_SCRIPT, LEASE_SCRIPT };
const PLACE = mkdtempSync(join(tmpdir(), 'rackboot-lease-'));
after(() => rmSync(PLACE, { recursive: true }));

/** Runs the lease script as udhcpc would, in a directory of its own and with commands that do nothing. */
function runLeaseScript(lease: Readonly<Record<string, string>>): { resolver: string; lease: string } {
  const moved = LEASE_SCRIPT.replaceAll(/\/(etc|run)\//g, `${PLACE}/`);
  const text = `ip() { :; }\nhostname() { :; }\n${moved}`;
  const env = { ip: '192.0.2.9', mask: '24', interface: 'eth0', serverid: '192.0.2.1', ...lease };
  const ran = spawnSync('/bin/sh', ['-s', 'bound'], { input: text, encoding: 'utf8', env });
  assert.equal(ran.stderr, '');
  return {
    resolver: readFileSync(join(PLACE, 'resolv.conf'), 'utf8'),
    lease: readFileSync(join(PLACE, 'lease'), 'utf8'),
  };
}

describe('the scripts of the lab machine', () => {
  for (const [name, text] of Object.entries(SCRIPTS)) {
    it(`${name} is one that a POSIX shell can read`, () => {
      const read = spawnSync('sh', ['-n'], { input: text, encoding: 'utf8' });
      assert.equal(read.stderr, '');
      assert.equal(read.status, 0);
    });

    it(`${name} is run by busybox, which is all there is`, () => {
      assert.ok(text.startsWith('#!/bin/busybox sh\n'));
    });
  }

  it('a lease becomes a resolver, and facts for the init script to read', () => {
    const shown = runLeaseScript({ hostname: 'node1', domain: 'lab.test', dns: '192.0.2.1 192.0.2.2' });
    assert.equal(shown.resolver, 'search lab.test\nnameserver 192.0.2.1\nnameserver 192.0.2.2\n');
    assert.equal(shown.lease, 'address=192.0.2.9\nserver=192.0.2.1\nhost=node1\nname=node1.lab.test\n');
  });

  it('a lease without a host name leaves the name empty', () => {
    const shown = runLeaseScript({ domain: 'lab.test' });
    assert.equal(shown.lease, 'address=192.0.2.9\nserver=192.0.2.1\nhost=\nname=\n');
  });
});
