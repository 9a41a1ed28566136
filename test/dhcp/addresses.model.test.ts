import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LeaseWorld } from './lease-world.ts';

const STEPS = Number(process.env['RACKBOOT_MODEL_STEPS'] ?? 25_000);
const CHECK_EVERY = 50;
const DRAIN_EVERY = 400;

for (const seed of (process.env['RACKBOOT_MODEL_SEEDS'] ?? '1,2').split(',').map(Number)) {
  test(`whatever 200 clients do, no address has two holders, is lost or unwritten (seed ${seed})`, () => {
    const world = new LeaseWorld(seed);
    for (let step = 1; step <= STEPS; step++) {
      try {
        world.step();
        if (step % CHECK_EVERY === 0) world.checkPromises();
        if (step % DRAIN_EVERY === 0) world.checkNothingLeaked();
      } catch (error) {
        throw new Error(`after ${step} steps with seed ${seed}: ${String(error)}`, { cause: error });
      }
    }
    // Otherwise the clients did not get about enough to prove anything
    assert.ok(world.acked.leases > STEPS / 5, `${world.acked.leases} leases`);
    assert.ok(world.acked.refused > STEPS / 50, `${world.acked.refused} refusals`);
    assert.ok(world.acked.unwritten > STEPS / 100, `${world.acked.unwritten} failures of the disk`);
  });
}
