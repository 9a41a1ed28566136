import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { moduleLoadOrder, moduleName, parseModulesDep } from '../../src/lab/kernel-modules.ts';

/** Lines of a real modules.dep of Debian 12, the needed ones in the order busybox depmod writes them. */
const MODULES_DEP = `kernel/drivers/virtio/virtio.ko:
kernel/drivers/virtio/virtio_ring.ko: kernel/drivers/virtio/virtio.ko
kernel/drivers/net/virtio_net.ko: kernel/drivers/virtio/virtio.ko kernel/drivers/virtio/virtio_ring.ko kernel/drivers/net/net_failover.ko kernel/net/core/failover.ko
kernel/drivers/net/net_failover.ko: kernel/net/core/failover.ko
kernel/net/core/failover.ko:
kernel/drivers/block/virtio_blk.ko: kernel/drivers/virtio/virtio.ko kernel/drivers/virtio/virtio_ring.ko
kernel/drivers/char/hw_random/virtio-rng.ko.xz: kernel/drivers/virtio/virtio.ko
`;

describe('moduleLoadOrder', () => {
  const dependencies = parseModulesDep(MODULES_DEP);

  it('puts every module after all that it needs, each once', () => {
    const order = moduleLoadOrder(dependencies, ['virtio_net', 'virtio_blk']);
    assert.equal(new Set(order).size, order.length);
    for (const [index, path] of order.entries()) {
      for (const needed of dependencies.get(path) ?? []) {
        assert.ok(order.slice(0, index).includes(needed), `${needed} comes before ${path}`);
      }
    }
    const names = ['virtio', 'virtio_ring', 'failover', 'net_failover', 'virtio_net', 'virtio_blk'];
    assert.deepEqual(order.map(moduleName), names);
  });

  it('leaves out a module that the kernel has built in or not at all', () => {
    assert.deepEqual(moduleLoadOrder(dependencies, ['af_packet', 'virtio']), ['kernel/drivers/virtio/virtio.ko']);
  });

  it('takes - and _ in a name for the same, and any compression', () => {
    const order = moduleLoadOrder(dependencies, ['virtio_rng']);
    assert.equal(order.at(-1), 'kernel/drivers/char/hw_random/virtio-rng.ko.xz');
  });

  it('ends on modules that need each other', () => {
    const circle = parseModulesDep('a.ko: b.ko\nb.ko: a.ko\n');
    assert.deepEqual(moduleLoadOrder(circle, ['a']), ['b.ko', 'a.ko']);
  });
});
