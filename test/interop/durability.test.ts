import assert from 'node:assert/strict';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { createInterface } from 'node:readline';
import { test } from 'node:test';

import { RackRig, reasonToSkip } from './rack-rig.ts';

const DORA_CLIENT = join(import.meta.dirname, 'dora-client.ts');
const CLIENTS = 1_000;

/** A range that 1,000 clients fit in. */
const WIDE = `
rack: { name: rack-t, state: $DIR/state, control: $DIR/control.sock }
subnets:
  - cidr: 192.168.112.0/20
    interface: rack0
    management: dhcp+dns
    dynamic: 192.168.112.10-192.168.119.255
    domain: rack.test
    lease: 1h
boot: { files: $DIR/files }
`;

async function acked(rig: RackRig, onAck: (count: number) => void = () => undefined): Promise<Map<string, string>> {
  const child = rig.startClient(execPath, DORA_CLIENT, String(CLIENTS));
  const leases = new Map<string, string>();
  assert.ok(child.stdout);
  for await (const line of createInterface({ input: child.stdout })) {
    const [mac, address] = line.split(' ');
    leases.set(mac ?? '', address ?? '');
    onAck(leases.size);
  }
  return leases;
}

test(
  'a rack killed in the middle of 1,000 DORAs gives every ACKed address to the same client again',
  { skip: await reasonToSkip() },
  async () => {
    await using rig = await RackRig.create('kill', WIDE);
    await rig.onRack('ip', 'address', 'add', '192.168.112.1/20', 'dev', 'rack0');
    await rig.start();
    let killed: Promise<number> | undefined;
    const before = await acked(rig, (count) => {
      if (count === CLIENTS / 2) killed = rig.end('SIGKILL');
    });
    await killed;
    assert.ok(before.size >= CLIENTS / 2 && before.size < CLIENTS, `killed after ${before.size} ACKs`);

    await rig.start();
    const { stdout } = await rig.rackboot('leases', '--json');
    const kept = new Map(
      (JSON.parse(stdout) as { mac: string; address: string }[]).map(({ mac, address }) => [mac, address]),
    );
    for (const [mac, address] of before) assert.equal(kept.get(mac), address, `the lease of ${mac}`);

    const after = await acked(rig);
    assert.equal(after.size, CLIENTS);
    for (const [mac, address] of before) assert.equal(after.get(mac), address, `what ${mac} was given again`);
    assert.equal(new Set(after.values()).size, CLIENTS, 'no address was given twice');
  },
);
