import assert from 'node:assert/strict';
import { closeSync, mkdirSync, readdirSync, readFileSync, writeFileSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { describe, test } from 'node:test';

import { RackRig, reasonToSkip } from './rack-rig.ts';

const DORA_CLIENT = join(import.meta.dirname, 'dora-client.ts');
/** The first client of dora-client. */
const MAC = '02:aa:00:00:00:00';
const END = Math.floor(Date.now() / 1000) + 3000;
const ISC_END = new Date(END * 1000).toISOString().slice(0, 19).replaceAll('-', '/').replace('T', ' ');

const FILES: readonly (readonly [from: string, address: string, text: string, refusedAt: number])[] = [
  [
    'kea',
    '192.168.127.150',
    `address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context,pool_id
192.168.127.140,${MAC},,3600,${END - 100},1,0,0,old,0,,0
192.168.127.140,${MAC},,0,${END - 100},1,0,0,old,0,,0
192.168.127.150,${MAC},,3600,${END},1,0,0,moved,0,,0
`,
    3,
  ],
  [
    'isc',
    '192.168.127.151',
    `lease 192.168.127.151 { ends 1 ${ISC_END}; binding state active; hardware ethernet ${MAC}; client-hostname "moved"; }
lease 192.168.99.1 { ends never; binding state active; hardware ethernet 02:aa:00:00:00:99; }
`,
    2,
  ],
  [
    'dnsmasq',
    '192.168.127.152',
    `${END} ${MAC} 192.168.127.152 moved *\n${END} 02:aa:00:00:00:77 192.168.127.5 * *\n`,
    2,
  ],
];

async function dora(rig: RackRig): Promise<string> {
  const { stdout } = await rig.client(execPath, DORA_CLIENT, '1');
  return stdout.trim();
}

describe('leases on a running daemon', { skip: await reasonToSkip() }, () => {
  for (const [from, address, text, refusedAt] of FILES) {
    test(`a client whose lease was imported from ${from} gets its address`, async () => {
      await using rig = await RackRig.create(`import-${from}`);
      await rig.start();
      const file = join(rig.directory, 'foreign');
      writeFileSync(file, text);
      const imported = await rig.rackboot('leases', 'import', '--from', from, file);
      assert.equal(imported.code, 0, imported.output);
      assert.match(imported.stdout, new RegExp(`^taken ${address} of ${MAC} moved$`, 'm'));
      assert.match(imported.stdout, new RegExp(`^${file}:${refusedAt}: refused: `, 'm'));
      assert.match(imported.stdout, /^1 leases taken, 1 refused$/m);
      assert.equal(await dora(rig), `${MAC} ${address}`);
      const exported = await rig.rackboot('leases', 'export');
      assert.match(exported.stdout, new RegExp(`^${address},${MAC},,3600,\\d+,1,0,0,(moved)?,0,,0$`, 'm'));
    });
  }

  test('a lease released is gone, by address and by MAC, and one that is not there is said to be', async () => {
    await using rig = await RackRig.create('release');
    await rig.start();
    for (const by of ['address', 'mac']) {
      const [mac = '', address = ''] = (await dora(rig)).split(' ');
      assert.match((await rig.rackboot('leases')).stdout, new RegExp(`^${address} +${mac}`, 'm'));
      const released = await rig.rackboot('leases', 'release', by === 'mac' ? mac : address);
      assert.deepEqual([released.code, released.stdout.trim()], [0, `released ${address} of ${mac}`]);
      await rig.until('the lease to be gone', async () => (await rig.rackboot('leases')).stdout === '');
      const again = await rig.rackboot('leases', 'release', address);
      assert.equal(again.code, 1);
      assert.match(again.output, /nobody has a lease under/);
    }
    assert.equal((await rig.rackboot('leases', 'release', 'node')).code, 1);
    assert.equal((await rig.rackboot('leases', 'release')).code, 2);
  });

  test('a daemon that finds garbage for its leases serves, and says where it put it', async () => {
    await using rig = await RackRig.create('garbage');
    const state = join(rig.directory, 'state');
    mkdirSync(state);
    writeFileSync(join(state, 'leases.db'), 'this was a lease file once\n'.repeat(1000));
    await rig.start();
    assert.match(await dora(rig), /^02:aa:00:00:00:00 192\.168\.127\.1\d\d$/);
    assert.ok(readdirSync(state).some((name) => /^leases\.db\.corrupt-\d{8}T\d{6}Z$/.test(name)));
    assert.match((await rig.rackboot('status')).stdout, /^NOTICE .*the lease file is damaged .*set aside as/m);
    assert.ok((await rig.events()).some(({ kind }) => kind === 'dhcp.store-replaced'));
    assert.match(rig.log, /"kind":"dhcp.store-replaced"/);
  });

  test('on a full disk a client is confirmed, a newcomer waits, and it goes on when there is room', async () => {
    await using rig = await RackRig.create('full');
    const state = join(rig.directory, 'state');
    mkdirSync(state);
    // In the daemon's own mount namespace: it ends with it
    const disk = `mount -t tmpfs -o size=2m tmpfs ${state} && exec "$@"`;
    await rig.start(['unshare', '--mount', 'sh', '-c', disk, 'sh']);
    // The tmpfs as the daemon sees it
    const ballast = join(`/proc/${daemonPid(rig)}/root`, state, 'ballast');
    const lease = await dora(rig);
    fillDisk(ballast);
    // What the log file has room for is written all the same, a small write after a great one has failed: until none is
    await rig.until('the disk to be full', async () => {
      await rig.client(execPath, DORA_CLIENT, '40');
      assert.equal(await dora(rig), lease);
      return /^NOTICE .*leases can't be written/m.test((await rig.rackboot('status')).stdout);
    });
    rmSync(ballast);
    await rig.until('the leases to be written', async () => !/NOTICE/.test((await rig.rackboot('status')).stdout));
    assert.equal((await rig.client(execPath, DORA_CLIENT, '60')).code, 0);
    const kinds = (await rig.events()).map(({ kind }) => kind).filter((kind) => kind.startsWith('dhcp.store'));
    assert.match(kinds.join(), /^(dhcp\.store-failed,dhcp\.store-works,?)+$/);
  });
});

/** Writes `file` until its disk has no room left. */
function fillDisk(file: string): void {
  const fd = openSync(file, 'w');
  try {
    for (;;) writeSync(fd, new Uint8Array(4096));
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
  } finally {
    closeSync(fd);
  }
}

/** `ip netns exec`, `unshare` and `sh` become the daemon: one process. */
function daemonPid({ daemon }: RackRig): number {
  const { pid = 0 } = daemon;
  assert.match(readFileSync(`/proc/${pid}/cmdline`, 'utf8'), /main\.ts/);
  return pid;
}
