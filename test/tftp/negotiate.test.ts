import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { negotiate, type Agreement, type Bounds } from '../../src/tftp/negotiate.ts';
import type { TftpOptions } from '../../src/wire/tftp/options.ts';
import type { TftpRequest } from '../../src/wire/tftp/packet.ts';

interface Case {
  readonly title: string;
  readonly options: TftpOptions;
  readonly mode?: string;
  readonly agreement: Agreement;
}

const cases: readonly Case[] = [
  {
    title: 'without options there is no OACK, and blocks hold 512',
    options: {},
    agreement: { blockSize: 512, windowSize: 1 },
  },
  {
    title: 'a block that fits is taken as it is',
    options: { blksize: 1024 },
    agreement: { blockSize: 1024, windowSize: 1, oack: { blksize: 1024 } },
  },
  {
    title: 'a block that would be fragmented is made smaller',
    options: { blksize: 8192 },
    agreement: { blockSize: 1468, windowSize: 1, oack: { blksize: 1468 } },
  },
  {
    title: 'the size is told whatever the client put there',
    options: { tsize: 5 },
    agreement: { blockSize: 512, windowSize: 1, oack: { tsize: 777 } },
  },
  {
    title: 'the size is not told in netascii, where it would be another, and alone brings no OACK',
    options: { tsize: 0 },
    mode: 'netascii',
    agreement: { blockSize: 512, windowSize: 1 },
  },
  {
    title: 'the timeout is taken in seconds',
    options: { timeout: 7 },
    agreement: { blockSize: 512, windowSize: 1, resendAfter: 7000, oack: { timeout: 7 } },
  },
  {
    title: 'a window is taken up to what is allowed',
    options: { windowsize: 65535 },
    agreement: { blockSize: 512, windowSize: 64, oack: { windowsize: 64 } },
  },
];

const STANDARD = { blockSize: 1468, window: 64 };

for (const { title, options, mode = 'octet', agreement } of cases) {
  test(title, () => {
    assert.deepEqual(negotiate({ type: 'rrq', file: 'a', mode, options }, 777, STANDARD), agreement);
  });
}

const REQUEST: TftpRequest = { type: 'rrq', file: 'a', mode: 'octet', options: { blksize: 9000, windowsize: 64 } };

const bounded: readonly (readonly [
  title: string,
  bounds: Bounds,
  mtu: number | undefined,
  block: number,
  window: number,
])[] = [
  ['the caps of the file', { blockSize: 1024, window: 4 }, undefined, 1024, 4],
  ['an MTU below the cap', { blockSize: 1468, window: 64 }, 1400, 1368, 64],
  ['an MTU above the cap', { blockSize: 1468, window: 64 }, 9000, 1468, 64],
  ['jumbo frames, where the cap allows them', { blockSize: 8968, window: 64 }, 9000, 8968, 64],
  ['the least that can be agreed on, where the MTU leaves nothing', { blockSize: 1468, window: 1 }, 20, 8, 1],
];

for (const [title, bounds, mtu, blockSize, windowSize] of bounded) {
  test(`a client is held to ${title}`, () => {
    const oack = { blksize: blockSize, windowsize: windowSize };
    assert.deepEqual(negotiate(REQUEST, 777, bounds, mtu), { blockSize, windowSize, oack });
  });
}

test('caps bind no client that asks for nothing', () => {
  const plain = negotiate({ ...REQUEST, options: {} }, 777, { blockSize: 8968, window: 64 }, 9000);
  assert.deepEqual(plain, { blockSize: 512, windowSize: 1 });
});

const wishes = fc.record(
  {
    blksize: fc.integer({ min: 8, max: 65464 }),
    timeout: fc.integer({ min: 1, max: 255 }),
    tsize: fc.maxSafeNat(),
    windowsize: fc.integer({ min: 1, max: 65535 }),
  },
  { requiredKeys: [] },
);

test('what is answered was asked for, is never larger, stays inside every bound, and is what is then done', () => {
  const bounds = fc.record({ blockSize: fc.integer({ min: 512, max: 8968 }), window: fc.integer({ min: 1, max: 64 }) });
  const mtu = fc.integer({ min: 68, max: 65535 });
  fc.assert(
    fc.property(wishes, bounds, mtu, fc.constantFrom('octet', 'netascii'), (asked, caps, most, mode) => {
      const options = asked as TftpOptions;
      const {
        blockSize,
        windowSize,
        resendAfter,
        oack = {},
      } = negotiate({ ...REQUEST, mode, options }, 777, caps, most);
      for (const name of Object.keys(oack)) assert.ok(Object.hasOwn(options, name), name);
      const { blksize = 512, windowsize = 1, timeout } = options;
      assert.ok(blockSize <= blksize && windowSize <= windowsize);
      assert.ok(blockSize >= 8 && windowSize >= 1);
      if (oack.blksize !== undefined) assert.ok(blockSize <= caps.blockSize && blockSize + 32 <= Math.max(most, 40));
      if (oack.windowsize !== undefined) assert.ok(windowSize <= caps.window);
      assert.equal(blockSize, oack.blksize ?? 512);
      assert.equal(windowSize, oack.windowsize ?? 1);
      assert.equal(resendAfter, timeout === undefined ? undefined : timeout * 1000);
      assert.equal(oack.timeout, timeout);
    }),
    { seed: 2348, numRuns: 2000 },
  );
});
