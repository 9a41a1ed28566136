import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isStaleLabName, labName } from '../../src/lab/network.ts';

const LIVING = new Set([41]);
const CASES: readonly (readonly [string, string, boolean])[] = [
  ['one of a process that is gone', labName(42), true],
  ['one of a process that is gone, with a suffix', labName(42, 'x'), true],
  ['one of a living process', labName(41), false],
  ['one of a living process, with a suffix', labName(41, 'x'), false],
  ['somebody else’s', 'blue', false],
  ['somebody else’s that begins alike', 'rackboot-lab-42x', false],
  ['somebody else’s that ends alike', 'my-rackboot-lab-42', false],
];

describe('isStaleLabName', () => {
  for (const [what, name, stale] of CASES) {
    it(`${stale ? 'sweeps away' : 'leaves alone'} ${what}: ${name}`, () => {
      assert.equal(
        isStaleLabName(name, (pid) => LIVING.has(pid)),
        stale,
      );
    });
  }
});
