import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import type { TransferTerms } from '../../src/tftp/transfer.ts';
import { runOverLink, type ClientManner, type LinkTerms, type RunResult } from './lossy-link.ts';

const BLOCK = 512;
const MANNERS: readonly ClientManner[] = ['gap', 'each', 'timer'];
const GOOD_LINK: LinkTerms = {
  seed: 1,
  loss: 0,
  duplication: 0,
  reordering: 0,
  lateness: 2,
  delay: 0.2,
  client: 'gap',
};

function terms(windowSize: number, blocks: number): TransferTerms {
  return { length: blocks * BLOCK - 5, blockSize: BLOCK, windowSize, negotiated: true, sizeTold: true };
}

/** The client has every block, each the right one, and the server knows. */
function assertWhole(result: RunResult, blocks: number): void {
  assert.deepEqual(result.outcome, { kind: 'sent' });
  assert.ok(result.hasAll && result.got === blocks, `${result.got} of ${blocks}`);
}

const linkTerms = (worst: number) =>
  fc.record({
    seed: fc.integer(),
    loss: fc.double({ min: 0, max: worst, noNaN: true }),
    duplication: fc.double({ min: 0, max: 0.5, noNaN: true }),
    reordering: fc.double({ min: 0, max: 0.3, noNaN: true }),
    lateness: fc.constantFrom(0.1, 2, 50),
    delay: fc.constantFrom(0.05, 0.5, 20),
    client: fc.constantFrom(...MANNERS),
  });

const anyTerms = fc.record({
  length: fc.oneof(fc.integer({ min: 0, max: 5 * BLOCK }), fc.integer({ min: 0, max: 400 * BLOCK })),
  blockSize: fc.constant(BLOCK),
  windowSize: fc.integer({ min: 1, max: 64 }),
  negotiated: fc.constant(true),
  sizeTold: fc.boolean(),
});

describe('a transfer to a client that reads by the RFCs', () => {
  test('arrives whole and right over any link that loses up to a tenth', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(anyTerms, linkTerms(0.1), (transfer, link) => {
        const blocks = Math.floor(transfer.length / BLOCK) + 1;
        const result = runOverLink(transfer, link);
        assertWhole(result, blocks);
        // A loss costs a window, and the client's answer may be lost too
        assert.ok(result.sent <= blocks * (4 + transfer.windowSize / 2) + 6 * transfer.windowSize, `${result.sent}`);
      }),
      { seed: 7440, numRuns: 400 },
    );
  });

  test('comes to an end over a link that loses nearly everything, and no block is ever a wrong one', () => {
    fc.assert(
      fc.property(anyTerms, linkTerms(0.95), (transfer, link) => {
        const { outcome, hasAll } = runOverLink(transfer, link);
        assert.ok(outcome !== undefined);
        if (hasAll) assert.notEqual(outcome.kind, 'size-probe');
      }),
      { seed: 1350, numRuns: 400 },
    );
  });

  for (const windowSize of [1, 16, 64]) {
    test(`goes on past block 65535 with a window of ${windowSize}`, () => {
      const result = runOverLink(terms(windowSize, 70_000), { ...GOOD_LINK, loss: windowSize === 1 ? 0 : 0.0005 });
      assertWhole(result, 70_000);
    });
  }
});

describe('packets that come twice', () => {
  for (const client of MANNERS) {
    for (const windowSize of [1, 4, 64]) {
      for (const duplication of [0.05, 1]) {
        const often = duplication === 1 ? 'all of them' : 'some';
        test(`make no block leave twice: ${often}, window ${windowSize}, ACKs by ${client}`, () => {
          const result = runOverLink(terms(windowSize, 2000), { ...GOOD_LINK, duplication, client });
          assertWhole(result, 2000);
          assert.equal(result.retransmitted, 0);
        });
      }
    }
  }
});

describe('a card that holds 8 packets', () => {
  for (const client of MANNERS) {
    for (const takes of [0.1, 0.25]) {
      test(`gets a window of 64 in its time: ${takes} ms a packet, ACKs by ${client}`, () => {
        const result = runOverLink(terms(64, 20_000), { ...GOOD_LINK, client, card: { holds: 8, takes } });
        assertWhole(result, 20_000);
        assert.ok(result.sent < 20_000 * 1.1, `${result.sent} packets`);
        assert.ok(result.milliseconds < 20_000, `${result.milliseconds} ms`);
      });
    }
  }
});

describe('a link that loses, doubles and reorders 3 of 100 packets', () => {
  for (const windowSize of [4, 16, 64]) {
    test(`costs a client with a window of ${windowSize} less than as much again`, () => {
      const trouble = { loss: 0.03, duplication: 0.03, reordering: 0.03 };
      const result = runOverLink(terms(windowSize, 5000), { ...GOOD_LINK, ...trouble });
      assertWhole(result, 5000);
      assert.ok(result.sent < 10_000, `${result.sent} packets`);
    });
  }
});
