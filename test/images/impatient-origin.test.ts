import assert from 'node:assert/strict';
import { test } from 'node:test';

import { BudgetOrigin } from '../../src/images/budget-origin.ts';
import { ImpatientOrigin } from '../../src/images/impatient-origin.ts';
import { readWhole, type Origin } from '../../src/images/origin.ts';

const NEVER = new AbortController().signal;
const MOST = 2 ** 30;

/** Time that a test holds still, and lets go on. */
function timing() {
  const timers: (() => void)[] = [];
  const clock = { at: 0, monotonic: () => clock.at };
  const sleep = (_milliseconds: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      timers.push(resolve);
      signal.addEventListener('abort', () => reject(signal.reason as Error));
    });
  return { clock, sleep, timers };
}

/** An origin whose chunks are so long, and come so many milliseconds after they were asked for. */
function drips(clock: { at: number }, chunks: readonly (readonly [bytes: number, after: number])[]): Origin {
  async function* flow(): AsyncGenerator<Uint8Array> {
    for (const [bytes, after] of chunks) {
      clock.at += after;
      yield new Uint8Array(bytes);
    }
  }
  return { locate: (path) => `x:${path}`, open: () => Promise.resolve({ first: 0, chunks: flow() }) };
}

function times<T>(count: number, what: T): T[] {
  return Array.from({ length: count }, () => what);
}

for (const [name, chunks, says] of [
  ['a byte every half minute', times(100, [1, 29_000] as const), 'x:a: only 3 bytes came in 87 s'],
  ['two KiB a second', times(1_000, [2_048, 1_000] as const), 'x:a: only 122880 bytes came in 60 s'],
  [
    'well at first, and then a byte a second',
    [...times(100, [2 ** 20, 1_000] as const), ...times(1_000, [1, 1_000] as const)],
    'x:a: only 41943060 bytes came in 60 s',
  ],
] as const) {
  test(`given up on: what brings ${name}`, async () => {
    const { clock, sleep } = timing();
    const origin = new ImpatientOrigin(drips(clock, chunks), { clock, sleep });
    const reading = readWhole(origin, 'a', MOST, NEVER);
    if (name.startsWith('well')) {
      await assert.rejects(reading, { name: 'TransferError', message: /^x:a: only \d+ bytes came in 60 s$/ });
      assert.ok(clock.at <= 181_000, String(clock.at));
    } else await assert.rejects(reading, { name: 'TransferError', message: says });
  });
}

for (const [name, chunks] of [
  ['eight KiB a second', times(1_000, [8_192, 1_000] as const)],
  ['nothing for 29 s, and then a MiB', times(20, [2 ** 20, 29_000] as const)],
] as const) {
  test(`waited for: what brings ${name}`, async () => {
    const { clock, sleep } = timing();
    const origin = new ImpatientOrigin(drips(clock, chunks), { clock, sleep });
    const bytes = await readWhole(origin, 'a', MOST, NEVER);
    assert.equal(
      bytes?.length,
      chunks.reduce((sum, [each]) => sum + each, 0),
    );
  });
}

test('how long we take ourselves with what came does not count', async () => {
  const { clock, sleep } = timing();
  const { chunks } = await new ImpatientOrigin(drips(clock, times(100, [1, 1])), { clock, sleep }).open('a', {
    from: 0,
    signal: NEVER,
  });
  let count = 0;
  for await (const _chunk of chunks) {
    clock.at += 600_000;
    count++;
  }
  assert.equal(count, 100);
});

/** It never answers, unless it is told to stop. */
const SILENT: Origin = {
  locate: (path) => `x:${path}`,
  open: (_path, { signal }) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error));
    }),
};

test('an answer that does not begin is given up on, and may be asked for again', async () => {
  const { clock, sleep, timers } = timing();
  const opening = new ImpatientOrigin(SILENT, { clock, sleep }).open('a', { from: 0, signal: NEVER });
  timers[0]?.();
  await assert.rejects(opening, { name: 'TransferError', message: 'x:a: no answer within 60 s', mayPass: true });
});

test('a stop is one, and no trouble of the origin', async () => {
  const { clock, sleep } = timing();
  const controller = new AbortController();
  const opening = new ImpatientOrigin(SILENT, { clock, sleep }).open('a', { from: 0, signal: controller.signal });
  controller.abort();
  await assert.rejects(opening, { name: 'AbortError' });
});

const read = (from: Origin) => readWhole(from, 'a', MOST, NEVER);

test('of all files together only so much is taken, in bytes and in time', async () => {
  const { clock } = timing();
  const origin = drips(clock, times(10, [10, 1_000]));
  const byBytes = new BudgetOrigin(origin, { bytes: 250, milliseconds: 1e9 }, clock);
  assert.equal((await read(byBytes))?.length, 100);
  await read(byBytes);
  await assert.rejects(read(byBytes), {
    name: 'TransferError',
    message: 'x:a: the files that name the images take more than 250 bytes in all',
  });
  const byTime = new BudgetOrigin(origin, { bytes: 1e9, milliseconds: 15_000 }, clock);
  await read(byTime);
  await assert.rejects(read(byTime), { message: 'x:a: the files that name the images take more than 15 s in all' });
  await assert.rejects(read(byTime), { mayPass: false });
});
