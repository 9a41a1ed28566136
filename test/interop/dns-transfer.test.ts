import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { after, before, describe, test } from 'node:test';

import { RACK, RackRig, reasonToSkip } from './rack-rig.ts';
import { bindSecondary, knotSecondary, nsdSecondary, type Secondary } from './secondaries.ts';

const DORA_CLIENT = join(import.meta.dirname, 'dora-client.ts');
const SECRET = 'bm90IHNlY3JldCBhdCBhbGwsIGJ1dCBsb25nIGVub3VnaA==';
const KEY = { name: 'xfer.example', secret: SECRET };
const ZONES = ['rack.test', '127.168.192.in-addr.arpa'];
const [KNOT, NSD, BIND, STRANGER] = ['192.168.127.9', '192.168.127.10', '192.168.127.11', '192.168.127.12'] as const;

const CONFIG = `
rack: { name: rack-t, state: $DIR/state, control: $DIR/control.sock }
subnets:
  - cidr: 192.168.127.0/24
    interface: rack0
    management: dhcp+dns
    dynamic: 192.168.127.100-192.168.127.199
    router: 192.168.127.254
    domain: rack.test
    lease: 1h
    conflict-check: off
hosts:
  - { name: node1, mac: "52:54:00:00:00:01", address: 192.168.127.221 }
boot: { files: $DIR/files }
dns:
  keys:
    - { name: xfer.example, algorithm: hmac-sha256, secret-file: $DIR/xfer.key }
  transfer: [{ key: xfer.example }, ${NSD}]
  notify:
    - { address: ${KNOT}, key: xfer.example }
    - ${NSD}
    - { address: ${BIND}, key: xfer.example }
`;

const skip = await reasonToSkip('bind9', 'bind9-dnsutils', 'knot', 'knot-dnsutils', 'nsd');

describe('the secondaries', { skip }, () => {
  let rig: RackRig;
  let secondaries: readonly Secondary[];
  const running = new Map<string, ChildProcess>();

  before(async () => {
    rig = await RackRig.create('transfer', CONFIG);
    for (const address of [KNOT, NSD, BIND, STRANGER]) {
      await rig.client('ip', 'address', 'add', `${address}/24`, 'dev', 'client0');
    }
    writeFileSync(join(rig.directory, 'xfer.key'), `${SECRET}\n`);
    chmodSync(join(rig.directory, 'xfer.key'), 0o600);
    secondaries = [
      knotSecondary(rig.directory, { address: KNOT, zones: ZONES, key: KEY }),
      nsdSecondary(rig.directory, { address: NSD, zones: ZONES }),
      bindSecondary(rig.directory, { address: BIND, zones: ZONES, key: KEY }),
    ];
    await rig.start();
    for (const secondary of secondaries) begin(secondary);
  });

  after(async () => {
    for (const child of running.values()) child.kill('SIGKILL');
    await rig[Symbol.asyncDispose]();
  });

  function begin({ name, argv }: Secondary): void {
    running.set(name, rig.startClient(...argv));
  }

  async function ask(server: string, ...question: readonly string[]): Promise<string> {
    const { stdout } = await rig.client('dig', `@${server}`, '+tries=1', '+time=1', '+short', ...question);
    return stdout.trim();
  }

  async function serialAt(server: string, zone: string): Promise<number> {
    return Number((await ask(server, zone, 'SOA')).split(' ')[2] ?? Number.NaN);
  }

  async function counter(name: string): Promise<number> {
    return (await rig.status()).services['dns']?.counters[name] ?? 0;
  }

  /** All who run have what the rack has. */
  async function inStep(...names: readonly string[]): Promise<void> {
    for (const { name, address } of secondaries) {
      if (names.length > 0 && !names.includes(name)) continue;
      for (const zone of ZONES) {
        await rig.until(`${name} to have ${zone}`, async () => {
          const serial = await serialAt(RACK, zone);
          return serial > 0 && serial === (await serialAt(address, zone));
        });
      }
    }
  }

  /** A machine gets an address and a name; resolves when it has. */
  async function lease(name: string): Promise<string> {
    const { code, stdout } = await rig.client(execPath, DORA_CLIENT, '1', '1', name);
    assert.equal(code, 0);
    return stdout.trim().split(' ')[1] ?? '';
  }

  test('fetch the zones whole when they start', async () => {
    await inStep();
    for (const { address } of secondaries) {
      assert.equal(await ask(address, 'node1.rack.test', 'A'), '192.168.127.221');
      assert.equal(await ask(address, '-x', '192.168.127.221'), 'node1.rack.test.');
    }
    assert.ok((await counter('transfer.axfr')) >= 6);
  });

  test('fetch what changed, and no more, within a second of a lease', async () => {
    const [whole, changes] = [await counter('transfer.axfr'), await counter('transfer.ixfr')];
    const address = await lease('first');
    const began = performance.now();
    for (const secondary of secondaries) {
      await rig.until(`${secondary.name} to have the lease`, async () => {
        return (await ask(secondary.address, 'first0.rack.test', 'A')) === address;
      });
    }
    const took = performance.now() - began;
    await inStep();
    assert.equal(await counter('transfer.axfr'), whole);
    assert.ok((await counter('transfer.ixfr')) >= changes + 6);
    console.log(`# all had it after ${Math.round(took)} ms`);
  });
});
