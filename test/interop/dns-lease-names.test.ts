import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { describe, test, type TestContext } from 'node:test';

import { percentile } from '../bench/median.ts';
import type { NamedMachine } from './named-client.ts';
import { RACK, RackRig, reasonToSkip, SIMPLE } from './rack-rig.ts';

/** `RACKBOOT_NAME_SECONDS=60 node --test test/interop/dns-lease-names.test.ts` is the long run. */
const SECONDS = Number(process.env['RACKBOOT_NAME_SECONDS'] ?? 3);
const RATE = 10;
const NAMED_CLIENT = join(import.meta.dirname, 'named-client.ts');

async function dig(rig: RackRig, ...question: string[]): Promise<string> {
  const { stdout } = await rig.client(
    'dig',
    `@${RACK}`,
    '+tries=1',
    '+time=2',
    '+noall',
    '+comments',
    '+answer',
    ...question,
  );
  return stdout;
}

function tell(t: TestContext, what: string, delays: readonly number[]): void {
  const [p50, p99, most] = [percentile(delays, 0.5), percentile(delays, 0.99), Math.max(...delays)];
  t.diagnostic(`${what}: p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms, max ${most.toFixed(2)} ms`);
}

async function comeAndGo(t: TestContext, threads: number, ports: number): Promise<void> {
  await using rig = await RackRig.create(`lease-names-${threads}`, `${SIMPLE}dns: { threads: ${threads} }\n`);
  await rig.start();
  const words = ['rack.test', SECONDS, RATE, ports].map(String);
  const asked = await rig.client(execPath, NAMED_CLIENT, RACK, ...words);
  assert.equal(asked.code, 0, asked.output);
  const machines = asked.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as NamedMachine);
  assert.equal(new Set(machines.map(({ name }) => name)).size, SECONDS * RATE);
  assert.ok(machines.every((machine) => machine.asked > 0));
  tell(
    t,
    'from ACK to the name’s answer',
    machines.map(({ named }) => named),
  );
  tell(
    t,
    'from ACK to the PTR’s answer',
    machines.map(({ pointed }) => pointed),
  );
  tell(
    t,
    'from RELEASE until both were gone',
    machines.map(({ gone }) => gone),
  );
}

describe('names of leases', { skip: await reasonToSkip('bind9-dnsutils') }, () => {
  const racks: [threads: number, ports: number, where: string][] = [
    [1, 1, ''],
    [3, 12, ', at each of three threads'],
  ];
  for (const [threads, ports, where] of racks) {
    test(`${RATE} machines a second come, answer by name and address as long as they stay, and are gone on release${where}`, (t) =>
      comeAndGo(t, threads, ports));
  }

  test('the name of a lease that runs out is gone, forward and reverse', async () => {
    await using rig = await RackRig.create('lease-ends');
    await rig.start();
    const file = join(rig.directory, 'leases.csv');
    const columns =
      'address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context,pool_id';
    const end = Math.floor(Date.now() / 1000) + 5;
    writeFileSync(file, `${columns}\n192.168.127.150,02:aa:00:00:00:01,,3600,${end},1,0,0,guest,0,,0\n`);
    const { code, output } = await rig.rackboot('leases', 'import', '--from', 'kea', file);
    assert.equal(code, 0, output);
    assert.match(await dig(rig, 'guest.rack.test', 'A'), /^guest\.rack\.test\.\s+30\s+IN\s+A\s+192\.168\.127\.150$/m);
    assert.match(await dig(rig, '-x', '192.168.127.150'), /\sPTR\s+guest\.rack\.test\.$/m);
    await rig.until('the name to be gone', async () =>
      (await dig(rig, 'guest.rack.test', 'A')).includes('status: NXDOMAIN'),
    );
    assert.match(await dig(rig, '-x', '192.168.127.150'), /status: NXDOMAIN/);
    assert.ok(Date.now() / 1000 >= end, 'it was gone before its time');
  });
});
