import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Transfer, type Step, type TransferTerms } from '../../src/tftp/transfer.ts';

const plain: TransferTerms = { length: 1300, blockSize: 512, windowSize: 1, negotiated: false, sizeTold: false };
const negotiated: TransferTerms = { ...plain, negotiated: true, sizeTold: true };
const windowed: TransferTerms = { ...plain, length: 5000, windowSize: 4, negotiated: true };

/** What happens, and when: milliseconds. */
type Happening = (transfer: Transfer, now: number) => Step;
const start: Happening = (transfer, now) => transfer.start(now);
const timeout: Happening = (transfer, now) => transfer.timeout(now);
const repeat: Happening = (transfer, now) => transfer.repeat(now);
const ack =
  (block: number): Happening =>
  (transfer, now) =>
    transfer.acknowledge(block, now);
const error =
  (code: number, message = ''): Happening =>
  (transfer) =>
    transfer.abort(code, message);

const WAIT: Step = { do: 'wait' };
const OACK: Step = { do: 'send-oack' };
const SENT: Step = { do: 'end', outcome: { kind: 'sent' } };
const PROBE: Step = { do: 'end', outcome: { kind: 'size-probe' } };
const data = (first: number, last = first): Step => ({ do: 'send-data', first, last });
const failed = (reason: string): Step => ({ do: 'end', outcome: { kind: 'failed', reason } });
const vanished = (reason: string): Step => ({ do: 'end', outcome: { kind: 'failed', reason, silent: true } });

interface Story {
  readonly title: string;
  readonly terms: TransferTerms;
  readonly steps: readonly (readonly [now: number, happening: Happening, step: Step])[];
}

const stories: readonly Story[] = [
  {
    title: 'each ACK brings the next block, and the last one ends it',
    terms: plain,
    steps: [
      [0, start, data(1)],
      [1, ack(1), data(2)],
      [2, ack(2), data(3)],
      [3, ack(3), SENT],
    ],
  },
  {
    title: 'a file shorter than a block is one block',
    terms: { ...plain, length: 511 },
    steps: [
      [0, start, data(1)],
      [1, ack(1), SENT],
    ],
  },
  {
    title: 'an empty file is one empty block',
    terms: { ...plain, length: 0 },
    steps: [
      [0, start, data(1)],
      [1, ack(1), SENT],
    ],
  },
  {
    title: 'exactly one block has an empty block behind it',
    terms: { ...plain, length: 512 },
    steps: [
      [0, start, data(1)],
      [1, ack(1), data(2)],
      [2, ack(2), SENT],
    ],
  },
  {
    title: 'a file a multiple of the block size ends with an empty block',
    terms: { ...plain, length: 1024 },
    steps: [
      [0, start, data(1)],
      [1, ack(1), data(2)],
      [2, ack(2), data(3)],
      [3, ack(3), SENT],
    ],
  },
  {
    title: 'an OACK waits for the ACK of block 0',
    terms: negotiated,
    steps: [
      [0, start, OACK],
      [1, ack(1), WAIT],
      [2, ack(0), data(1)],
      [3, ack(0), WAIT],
      [4, ack(1), data(2)],
    ],
  },
  {
    title: 'a stale ACK is ignored, so that no block is sent twice for one ACK (sorcerer)',
    terms: plain,
    steps: [
      [0, start, data(1)],
      [1, ack(1), data(2)],
      [2, ack(1), WAIT],
      [3, ack(0), WAIT],
      [4, ack(2), data(3)],
      [5, ack(1), WAIT],
      [6, ack(2), WAIT],
    ],
  },
  {
    title: 'an ACK for a block that was never sent is ignored',
    terms: plain,
    steps: [
      [0, start, data(1)],
      [1, ack(2), WAIT],
      [2, ack(40_000), WAIT],
      [3, ack(1), data(2)],
    ],
  },
  {
    title: 'silence is answered with the same block after 1, 2, 4, 8 and 8 seconds, then the client is gone',
    terms: plain,
    steps: [
      [0, start, data(1)],
      [999, timeout, WAIT],
      [1000, timeout, data(1)],
      [3000, timeout, data(1)],
      [6999, timeout, WAIT],
      [7000, timeout, data(1)],
      [15_000, timeout, data(1)],
      [23_000, timeout, data(1)],
      [30_999, timeout, WAIT],
      [31_000, timeout, vanished('no answer from the client after the first block, asked 6 times')],
    ],
  },
  {
    title: 'an unanswered OACK is repeated, then the client is gone',
    terms: { ...negotiated, resendAfter: 1000 },
    steps: [
      [0, start, OACK],
      [1000, timeout, OACK],
      [2000, timeout, OACK],
      [3000, timeout, OACK],
      [4000, timeout, OACK],
      [5000, timeout, OACK],
      [6000, timeout, vanished('no answer from the client after the OACK, asked 6 times')],
    ],
  },
  {
    title: 'the timeout that the client asked for is kept, without back-off',
    terms: { ...plain, resendAfter: 3000 },
    steps: [
      [0, start, data(1)],
      [2999, timeout, WAIT],
      [3000, timeout, data(1)],
      [5999, timeout, WAIT],
      [6000, timeout, data(1)],
    ],
  },
  {
    title: 'after quick answers a lost block is sent again sooner than after a second',
    terms: { ...plain, length: 100_000 },
    steps: [
      [0, start, data(1)],
      [10, ack(1), data(2)],
      [20, ack(2), data(3)],
      [269, timeout, WAIT],
      [270, timeout, data(3)],
      [769, timeout, WAIT],
      [770, timeout, data(3)],
    ],
  },
  {
    title: 'the answer to a repeated block says nothing about the round trip (Karn)',
    terms: plain,
    steps: [
      [0, start, data(1)],
      [1000, timeout, data(1)],
      [1001, ack(1), data(2)],
      [2000, timeout, WAIT],
      [2001, timeout, data(2)],
    ],
  },
  {
    title: 'an answer after a repetition gives the client all its tries again',
    terms: { ...plain, resendAfter: 1000 },
    steps: [
      [0, start, data(1)],
      [1000, timeout, data(1)],
      [2000, timeout, data(1)],
      [3000, timeout, data(1)],
      [4000, timeout, data(1)],
      [5000, timeout, data(1)],
      [5500, ack(1), data(2)],
      [6500, timeout, data(2)],
      [7500, timeout, data(2)],
    ],
  },
  {
    title: 'a missing last ACK ends as sent after the final repetitions',
    terms: { ...plain, length: 600, resendAfter: 1000 },
    steps: [
      [0, start, data(1)],
      [1, ack(1), data(2)],
      [1001, timeout, data(2)],
      [2001, timeout, data(2)],
      [3001, timeout, data(2)],
      [4001, timeout, data(2)],
      [5001, timeout, data(2)],
      [6001, timeout, SENT],
    ],
  },
  {
    title: 'error 8 after an OACK with the size is a probe',
    terms: negotiated,
    steps: [
      [0, start, OACK],
      [1, error(8), PROBE],
    ],
  },
  {
    title: 'error 0 after an OACK with the size is a probe',
    terms: negotiated,
    steps: [
      [0, start, OACK],
      [1, error(0, 'User aborted'), PROBE],
    ],
  },
  {
    title: 'error 3 after an OACK is a failure',
    terms: negotiated,
    steps: [
      [0, start, OACK],
      [1, error(3, 'disk full'), failed('the client gave up after the OACK with error 3: disk full')],
    ],
  },
  {
    title: 'error 8 after an OACK without the size means that our options are not wanted',
    terms: { ...negotiated, sizeTold: false },
    steps: [
      [0, start, OACK],
      [1, error(8), failed('the client gave up after the OACK with error 8')],
    ],
  },
  {
    title: 'an ERROR mid-way is a failure that tells the block',
    terms: negotiated,
    steps: [
      [0, start, OACK],
      [1, ack(0), data(1)],
      [2, ack(1), data(2)],
      [3, error(0, 'out of memory'), failed('the client gave up after block 1 of 3 with error 0: out of memory')],
    ],
  },
  {
    title: 'the same request again brings the OACK again, until it was heard',
    terms: negotiated,
    steps: [
      [0, start, OACK],
      [1, repeat, OACK],
      [2, ack(0), data(1)],
      [3, repeat, WAIT],
    ],
  },
  {
    title: 'the same request again brings the first block again',
    terms: plain,
    steps: [
      [0, start, data(1)],
      [1, repeat, data(1)],
    ],
  },
  {
    title: 'a window sends as many blocks per ACK, and fewer at the end',
    terms: windowed,
    steps: [
      [0, start, OACK],
      [1, ack(0), data(1, 4)],
      [2, ack(4), data(5, 8)],
      [3, ack(8), data(9, 10)],
      [4, ack(10), SENT],
    ],
  },
  {
    title: 'an ACK from inside a window lets the next blocks out, and a round trip later the window restarts behind it',
    terms: windowed,
    steps: [
      [0, start, OACK],
      [1, ack(0), data(1, 4)],
      [2, ack(2), data(5, 6)],
      [3, ack(2), WAIT],
      [4, timeout, WAIT],
      [5, timeout, data(3, 6)],
      [6, ack(2), WAIT],
      [7, ack(6), data(7, 10)],
    ],
  },
  {
    title: 'an ACK from inside a window, for a block that came twice, costs nothing',
    terms: windowed,
    steps: [
      [0, start, OACK],
      [1, ack(0), data(1, 4)],
      [2, ack(2), data(5, 6)],
      [3, ack(6), data(7, 10)],
      [4, ack(6), WAIT],
      [5, ack(10), SENT],
    ],
  },
  {
    title: 'a window whose first block was lost restarts a round trip after the repeated ACK, twice; then by the timer',
    terms: windowed,
    steps: [
      [0, start, OACK],
      [1, ack(0), data(1, 4)],
      [2, ack(4), data(5, 8)],
      [3, ack(4), WAIT],
      [4, ack(4), WAIT],
      [6, timeout, data(5, 8)],
      [7, ack(4), WAIT],
      [10, timeout, data(5, 8)],
      [11, ack(4), WAIT],
      [259, timeout, WAIT],
      [260, timeout, data(5, 8)],
      [261, ack(8), data(9, 10)],
    ],
  },
  {
    title: 'after a loss a large window leaves in bursts a millisecond apart, half as long with each',
    terms: { ...windowed, length: 100_000, windowSize: 16 },
    steps: [
      [0, start, OACK],
      [1, ack(0), data(1, 16)],
      [2, ack(16), data(17, 32)],
      [252, timeout, data(17, 24)],
      [252.5, timeout, WAIT],
      [253, timeout, data(25, 32)],
      [254, ack(32), data(33, 40)],
      [255, timeout, data(41, 48)],
      [504, timeout, WAIT],
      [505, timeout, data(33, 36)],
      [506, timeout, data(37, 40)],
      [507, timeout, data(41, 44)],
      [508, timeout, data(45, 48)],
      [509, ack(48), data(49, 52)],
    ],
  },
  {
    title:
      'a client that asks for a very long wait is given up a minute after it was last heard, not before one more try',
    terms: { ...plain, resendAfter: 255_000 },
    steps: [
      [0, start, data(1)],
      [255_000, timeout, data(1)],
      [510_000, timeout, vanished('no answer from the client after the first block, asked 2 times')],
    ],
  },
  {
    title: 'an ACK from before the window is ignored',
    terms: windowed,
    steps: [
      [0, start, OACK],
      [1, ack(0), data(1, 4)],
      [2, ack(4), data(5, 8)],
      [3, ack(3), WAIT],
      [4, ack(9), WAIT],
    ],
  },
];

test('a client that says the same for ever is given up like a silent one, and is not sent the window for each word', () => {
  const transfer = new Transfer(windowed);
  transfer.start(0);
  transfer.acknowledge(0, 1);
  let step: Step = WAIT;
  let blocks = 0;
  let now = 1;
  for (; step.do !== 'end' && now < 600_000; now += 0.5) {
    step = transfer.acknowledge(0, now);
    if (step.do === 'wait') step = transfer.timeout(now);
    if (step.do === 'send-data') blocks += step.last - step.first + 1;
  }
  assert.deepEqual(step, vanished('no answer from the client after the first block, asked 6 times'));
  assert.ok(now < 60_000, `${now} ms`);
  assert.ok(blocks <= 4 * 8, `${blocks} blocks`);
});

for (const { title, terms, steps } of stories) {
  test(title, () => {
    const transfer = new Transfer(terms);
    for (const [now, happening, step] of steps) assert.deepEqual(happening(transfer, now), step, `at ${now} ms`);
  });
}

/** Answers every packet at once until `block` is the next to be sent. */
function driveTo(transfer: Transfer, block: number): void {
  transfer.start(0);
  for (let i = 1; i < block; i++) transfer.acknowledge(i & 0xffff, i);
}

test('the block number wraps from 65535 to 0 and goes on', () => {
  const transfer = new Transfer({ ...plain, length: 70_000 * 512 });
  driveTo(transfer, 65_535);
  assert.deepEqual(transfer.acknowledge(65_535, 65_535), data(65_536));
  assert.deepEqual(transfer.acknowledge(65_535, 65_536), WAIT);
  assert.deepEqual(transfer.acknowledge(0, 65_537), data(65_537));
  assert.deepEqual(transfer.acknowledge(1, 65_538), data(65_538));
});

test('a file of many times 65536 blocks is sent whole, window and all', () => {
  const length = 200_000 * 512 + 7;
  const transfer = new Transfer({ ...plain, length, windowSize: 64 });
  let step = transfer.start(0);
  let expected = 1;
  while (step.do === 'send-data') {
    assert.equal(step.first, expected);
    expected = step.last + 1;
    step = transfer.acknowledge(step.last & 0xffff, expected);
  }
  assert.deepEqual(step, SENT);
  assert.equal(expected, 200_002);
  assert.equal(transfer.retransmitted, 0);
});

test('what is sent again is counted, what is sent for the first time is not', () => {
  const transfer = new Transfer(windowed);
  transfer.start(0);
  transfer.acknowledge(0, 1);
  transfer.acknowledge(2, 2);
  assert.equal(transfer.retransmitted, 0);
  transfer.timeout(transfer.deadline);
  assert.equal(transfer.retransmitted, 4);
  transfer.timeout(transfer.deadline);
  assert.equal(transfer.retransmitted, 8);
});

test('progress is a new block or an ACK, not a repetition', () => {
  const transfer = new Transfer({ ...plain, resendAfter: 1000 });
  transfer.start(10);
  transfer.acknowledge(1, 20);
  transfer.timeout(1020);
  assert.equal(transfer.progressAt, 20);
});

const replacements = [
  {
    title: 'before an answer to its OACK with the size, a replaced transfer was a probe',
    terms: negotiated,
    acks: [],
    outcome: { kind: 'size-probe' },
  },
  { title: 'before any answer, a replaced transfer is nothing to tell', terms: plain, acks: [], outcome: undefined },
  {
    title: 'in the middle, a replaced transfer failed',
    terms: plain,
    acks: [1],
    outcome: { kind: 'failed', reason: 'the client asked anew after block 1 of 3', silent: true },
  },
  {
    title: 'with all blocks sent, a replaced transfer lacks only its last ACK',
    terms: plain,
    acks: [1, 2],
    outcome: { kind: 'sent' },
  },
] as const;

for (const { title, terms, acks, outcome } of replacements) {
  test(title, () => {
    const transfer = new Transfer(terms);
    transfer.start(0);
    for (const block of acks) transfer.acknowledge(block, block);
    assert.deepEqual(transfer.replaced(), outcome);
  });
}
