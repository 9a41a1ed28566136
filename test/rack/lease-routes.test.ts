import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, test, type TestContext } from 'node:test';

import { toIp4 } from '../../src/addr/ip4.ts';
import type { Mac } from '../../src/addr/mac.ts';
import { askDaemon, readFromDaemon, RefusedError } from '../../src/cli/control-client.ts';
import { createOperatorApi, serveOnSocket } from '../../src/rack/operator-api.ts';
import { NODE1 } from '../timeline/event-fixture.ts';
import { FakeRack } from './fake-rack.ts';

const MAC1 = 0x525400000001 as Mac;

const directory = mkdtempSync(join(tmpdir(), 'rackboot-routes-'));
after(() => rmSync(directory, { recursive: true }));

async function refused(socket: string, path: string, reason: RegExp): Promise<void> {
  await assert.rejects(askDaemon(socket, path, 'POST', 'x'), (error) => {
    assert.ok(error instanceof RefusedError);
    assert.match(error.message, reason);
    return true;
  });
}

describe('the leases of the operators’ plane', () => {
  const socket = join(directory, 'control.sock');
  let fake: FakeRack;

  beforeEach(async (t) => {
    fake = new FakeRack();
    const server = await serveOnSocket(createOperatorApi({ rack: fake.rack, config: 'f', testHooks: false }), socket);
    (t as TestContext).after(() => server.close());
  });

  test('a release is handed to the DHCP service, by address or MAC', async () => {
    fake.answer = { done: [{ address: toIp4(0xc000020a), mac: MAC1 }], refused: [] };
    for (const who of ['192.0.2.10', '5254.0000.0001']) {
      assert.deepEqual(await askDaemon(socket, `/leases/release?of=${who}`, 'POST'), [
        { address: '192.0.2.10', mac: NODE1 },
      ]);
    }
    assert.deepEqual(fake.orders, [
      { kind: 'release', of: toIp4(0xc000020a) },
      { kind: 'release', of: { mac: MAC1 } },
    ]);
  });

  test('what can’t be done is refused with its reason', async () => {
    await refused(socket, '/leases/release?of=node1', /^expected of= and an IPv4 or MAC address$/);
    await refused(socket, '/leases/release?of=192.0.2.10', /^nobody has a lease under 192\.0\.2\.10$/);
    await refused(socket, '/leases/import?from=bind', /^expected from= one of kea, isc, dnsmasq$/);
    fake.answer = { done: [], refused: [], fault: 'disk full' };
    await refused(socket, '/leases/release?of=192.0.2.10', /^disk full$/);
  });

  test('leases to import go to the service in portions, and both lists come back in the order of lines', async () => {
    fake.answer = { done: [], refused: [{ line: 7, reason: 'taken' }] };
    const rows = Array.from({ length: 2_500 }, (_, i) => `9 52:54:00:00:00:01 10.0.${i >> 8}.${i & 255} * *`);
    const report = await askDaemon(socket, '/leases/import?from=dnsmasq', 'POST', ['bad', ...rows].join('\n'));
    assert.equal(fake.orders.length, 2);
    assert.deepEqual(report, {
      taken: [],
      refused: [
        { line: 1, reason: 'expected an IPv4 address, found ""' },
        { line: 7, reason: 'taken' },
        { line: 7, reason: 'taken' },
      ],
    });
  });

  test('an export has the columns of Kea, and a lease for good ends after the time of its subnet', async () => {
    fake.leases.learn([{ address: toIp4(0xc000020a), mac: MAC1, name: 'node1', expires: 1_700_000_000 }], []);
    fake.leases.learn([{ address: toIp4(0xc000020b), mac: MAC1 }], []);
    const [header, first, second] = (await readFromDaemon(socket, '/leases/export')).split('\n');
    assert.match(header ?? '', /^address,hwaddr,client_id,/);
    assert.equal(first, `192.0.2.10,${NODE1},,3600,1700000000,1,0,0,node1,0,,0`);
    assert.match(second ?? '', new RegExp(`^192\\.0\\.2\\.11,${NODE1},,3600,\\d{10},1,0,0,,0,,0$`));
  });
});
