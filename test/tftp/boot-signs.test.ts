import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { mac } from '../boot/boot-plan-fixture.ts';
import { NODE, TestRack } from './test-rack.ts';

const NODE1 = mac('52:54:00:12:34:56');

/** A rack whose unknown machines netboot a kernel of 1000 bytes, and a machine with a lease. */
function rackOf(t: TestContext): TestRack {
  const rack = new TestRack(t, { k: new Uint8Array(1000) });
  const plan = rack.plan();
  const kernel = { path: 'k', file: join(rack.files, 'k') };
  const entries = [{ name: 'debian', kernel, initrd: [], cmdline: '', once: 'delivered' as const }];
  rack.service.apply({ ...plan, boot: { ...plan.boot, default: 'debian', entries } }, [rack.handle]);
  rack.service.learn([{ address: NODE, mac: NODE1 }], []);
  return rack;
}

test('a script and a kernel that a machine fetched to the end are known, and whose they are', (t) => {
  const rack = rackOf(t);
  for (const file of ['/ipxe/52-54-00-12-34-56', 'k']) {
    const client = rack.client();
    client.readOn(client.request(file));
  }
  const doer = { address: NODE, mac: NODE1 };
  assert.deepEqual(rack.signs, [
    { kind: 'script', of: NODE1, entry: 'debian', ...doer },
    { kind: 'file', file: join(rack.files, 'k'), first: 0, last: 999, size: 1000, ...doer },
  ]);
});

test('a kernel whose transfer broke, or whose size only was asked for, was not sent', (t) => {
  const rack = rackOf(t);
  const client = rack.client();
  client.request('k');
  client.ack(1);
  client.error(0, 'enough');
  const probe = rack.client(2071);
  probe.request('k', { tsize: 0 });
  probe.error(8);
  assert.deepEqual(rack.signs, []);
});

test('a machine that has had its entry is told to boot its own disk', (t) => {
  const rack = rackOf(t);
  const state = { kind: 'done', by: 'delivered', since: 0 } as const;
  rack.service.learnBoots({ set: [{ mac: NODE1, entry: 'debian', state }], cleared: [] });
  const client = rack.client();
  assert.match(client.readOn(client.request('/ipxe/52-54-00-12-34-56')).toString(), /is for once/);
});
