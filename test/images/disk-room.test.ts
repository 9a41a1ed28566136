import assert from 'node:assert/strict';
import { test } from 'node:test';

import { DiskRoom, type DiskSize } from '../../src/images/disk-room.ts';

const MB = 1e6;

/** A disk of 1 GB, of which 5 % stay free, with so many bytes free. */
function room(free: number): { disk: DiskSize & { bavail: number }; room: DiskRoom } {
  const disk = { bavail: free, blocks: 1000 * MB, bsize: 1 };
  return { disk, room: new DiskRoom('/images', () => disk) };
}

test('room is what is free less what leases need, and a demand for more is told with both', () => {
  const { room: here } = room(60 * MB);
  here.demand(10 * MB);
  assert.throws(() => here.demand(10 * MB + 1), {
    name: 'DiskFullError',
    message: '/images: no room: 11 MB needed, 10 MB free besides the 50 MB that leases keep',
  });
});

test('of the last room one of two gets it, and the other one does when it is given back', () => {
  const { room: here } = room(60 * MB);
  const second = here.claim();
  {
    using first = here.claim();
    first.take(8 * MB);
    assert.equal(first.left, 8 * MB);
    assert.throws(() => second.take(3 * MB), { name: 'DiskFullError', message: /3 MB needed, 2 MB free/ });
    assert.throws(() => here.demand(3 * MB), { name: 'DiskFullError' });
  }
  second.take(10 * MB);
});

test('what was written is counted by the disk, and not twice', () => {
  const { disk, room: here } = room(60 * MB);
  using claim = here.claim();
  claim.take(8 * MB);
  disk.bavail -= 6 * MB;
  claim.wrote(6 * MB);
  assert.equal(claim.left, 2 * MB);
  here.demand(2 * MB);
  assert.throws(() => here.demand(2 * MB + 1), { name: 'DiskFullError' });
});
