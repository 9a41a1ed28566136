import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { test } from 'node:test';

import { RackRig, reasonToSkip, SIMPLE } from './rack-rig.ts';
import { SQUATTER, Squatter } from './squatter.ts';

const STRANGER = '192.168.127.66';

/** dnsmasq on the clients' wire, that gives addresses of its own; it ends with its namespace's owner. */
async function startDnsmasq(rig: RackRig, { space }: Squatter): Promise<AsyncDisposable & { readonly leases: string }> {
  const leases = join(rig.directory, 'dnsmasq.leases');
  const words = ['--no-daemon', '--conf-file=/dev/null', '--port=0', '--no-ping', '--dhcp-authoritative'];
  const range = [
    '--dhcp-range=192.168.127.150,192.168.127.160,1h',
    `--dhcp-option=3,192.168.127.254`,
    `--dhcp-leasefile=${leases}`,
  ];
  const inside = ['--pdeathsig', 'KILL', 'ip', 'netns', 'exec', space, 'dnsmasq', '--user=root'];
  const dnsmasq = spawn('setpriv', [...inside, ...words, ...range], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  dnsmasq.stderr.on('data', (text) => (said += String(text)));
  await rig.until('dnsmasq to serve', async () => {
    if (dnsmasq.exitCode !== null) throw new Error(said);
    return said.includes('DHCP, IP range');
  });
  return {
    leases,
    async [Symbol.asyncDispose](): Promise<void> {
      const ended = new Promise((resolve) => dnsmasq.once('exit', resolve));
      dnsmasq.kill('SIGKILL');
      await ended;
    },
  };
}

async function found(rig: RackRig): Promise<string[]> {
  const events = (await rig.events()).filter((event) => event.kind === 'dhcp-server.found');
  return events.map(({ server, mac = '' }) => `${server} ${mac}`);
}

test(
  'a DHCP server that is silent until it is asked is found by our asking, which leaves no lease; one that is listed raises nothing',
  { skip: await reasonToSkip('dnsmasq-base') },
  async () => {
    await using rig = await RackRig.create('probe', `${SIMPLE}watch: { dhcp-probe: 5s }\n`);
    await using squatter = await Squatter.settle(rig, STRANGER);
    await using dnsmasq = await startDnsmasq(rig, squatter);
    await rig.start();
    await rig.until('the stranger to be found', async () => (await found(rig)).length > 0);
    assert.deepEqual(await found(rig), [`${STRANGER} ${SQUATTER}`]);
    const notices = (await rig.status()).notices.join('\n');
    assert.match(
      notices,
      /watch: a DHCP server that is not known, 192\.168\.127\.66, is on rack0: it offers 192\.168\.127\.1[56]\d with router 192\.168\.127\.254/,
    );
    const shown = await rig.rackboot('neighbours');
    assert.equal(shown.code, 1);
    assert.match(
      shown.stdout,
      /^STRANGE DHCP SERVER 192\.168\.127\.66 \(02:00:00:00:5a:5a\) on rack0 offers 192\.168\.127\.1[56]\d, router /m,
    );
    // Neither there nor here
    assert.equal(existsSync(dnsmasq.leases) ? readFileSync(dnsmasq.leases, 'utf8') : '', '');
    assert.equal((await rig.rackboot('leases')).stdout, '');

    rig.writeConfig(`${SIMPLE}watch: { dhcp-probe: 5s, dhcp-servers: [${STRANGER}] }\n`);
    await rig.until('it to be known', async () => (await rig.status()).notices.length === 0);
    const asked = async (): Promise<number> => (await rig.status()).services['watch']?.counters['received.dhcp'] ?? 0;
    const before = await asked();
    await rig.until('it to answer once more', async () => (await asked()) > before);
    assert.deepEqual([(await rig.status()).notices, (await found(rig)).length], [[], 1]);
  },
);

test(
  'a DHCP server that answers a machine is named by its first offer',
  { skip: await reasonToSkip('dnsmasq-base') },
  async (t) => {
    await using rig = await RackRig.create('offer', `${SIMPLE}watch: { dhcp-probe: off }\n`);
    await using squatter = await Squatter.settle(rig, STRANGER);
    // Cards of one machine do not hear what it says itself: the client is another
    await using machine = await Squatter.settle(rig, '192.168.127.67', '02:00:00:00:5a:67');
    await using _dnsmasq = await startDnsmasq(rig, squatter);
    await rig.start();
    assert.deepEqual(await found(rig), []);
    const began = Date.now();
    const asking = machine.run(execPath, join(import.meta.dirname, 'dora-client.ts'), '1');
    await rig.until('the stranger to be named', async () => (await found(rig)).length > 0);
    assert.deepEqual(await found(rig), [`${STRANGER} ${SQUATTER}`]);
    const event = (await rig.events()).find(({ kind }) => kind === 'dhcp-server.found');
    t.diagnostic(`named ${(event?.at ?? 0) - began} ms after a client was started`);
    await asking;
  },
);
