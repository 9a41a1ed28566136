import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { describe, test, type TestContext } from 'node:test';

import type { Plan } from '../../src/plan/plan.ts';
import { ServiceThread } from '../../src/rack/service-thread.ts';
import { toColumns } from '../../src/service/lease-columns.ts';
import type { FromService, LeaseFact, ToService } from '../../src/service/letters.ts';
import { loadLibc } from '../../src/system/libc.ts';
import { Wake } from '../../src/system/wake.ts';
import { order } from './fixtures/test-service.ts';

const libc = loadLibc();
/** Ten unanswered pings are a second: longer than a thread takes to start. */
const PING_EVERY = 100;

function planLetter(name: string): ToService {
  return { type: 'plan', plan: { rack: { name } } as Plan, sockets: [] };
}

function leaseLetter(lease: LeaseFact): ToService {
  return { type: 'leases', bound: toColumns([lease]), ended: [] };
}

/** A supervised thread and what was heard of it. */
class Rig {
  readonly thread: ServiceThread;
  readonly letters: FromService[] = [];
  readonly failures: (readonly [reason: string, retry: number])[] = [];
  servings = 0;
  plan = 'first';
  readonly #news = new EventEmitter();

  constructor(t: TestContext, entry: string, more: { readonly wake?: Wake } = {}) {
    this.thread = new ServiceThread({
      name: 'tftp',
      entry: new URL(entry, new URL('fixtures/', import.meta.url)),
      libc,
      cookieKey: new Uint8Array(32),
      pingEvery: PING_EVERY,
      opening: () => [planLetter(this.plan)],
      onLetter: (letter) => (this.letters.push(letter), this.#tell()),
      onServing: () => (this.servings++, this.#tell()),
      onFailed: (reason, retry) => (this.failures.push([reason, retry]), this.#tell()),
      ...more,
    });
    t.after(async () => {
      if (this.thread.state !== 'stopped') await this.thread.stop(0);
    });
  }

  /** What the service told of, in order: names of Plans and orders. */
  get told(): string[] {
    const events = this.letters.flatMap((letter) => (letter.type === 'events' ? letter.events : []));
    return events.flatMap((event) => {
      if (event.kind === 'plan.refused') return event.faults;
      return event.kind === 'dhcp.ignored' ? [event.reason] : [];
    });
  }

  get readies(): number {
    return this.letters.filter(({ type }) => type === 'ready').length;
  }

  async until(holds: () => boolean): Promise<void> {
    const signal = AbortSignal.timeout(10_000);
    while (!holds()) await once(this.#news, 'news', { signal });
  }

  #tell(): void {
    this.#news.emit('news');
  }
}

const ANSWERING = [
  ['a thread that blocks', 'answering-thread.ts'],
  ['a thread on Node’s event loop', 'event-loop-thread.ts'],
] as const;

for (const [title, entry] of ANSWERING) {
  describe(title, () => {
    test('starts with its Plan, serves, answers pings with counters, and stops', async (t) => {
      const rig = new Rig(t, entry);
      assert.equal(rig.thread.state, 'stopped');
      await rig.thread.start();
      assert.deepEqual([rig.thread.state, rig.servings], ['serving', 1]);
      await rig.until(() => rig.thread.counters['plans'] === 1);
      assert.equal(rig.thread.alive, true);
      await rig.thread.stop(2_000);
      assert.deepEqual([rig.thread.state, rig.thread.restarts, rig.failures], ['stopped', 0, []]);
      assert.deepEqual(rig.told, ['first', 'closed']);
    });

    test('takes up a new Plan without being said to serve anew', async (t) => {
      const rig = new Rig(t, entry);
      await rig.thread.start();
      await rig.thread.apply(planLetter('second'));
      await rig.until(() => rig.told.length === 2);
      assert.deepEqual([rig.told, rig.servings], [['first', 'second'], 1]);
    });

    test('that throws says what it saw last, and is back within a second with the newest Plan', async (t) => {
      const rig = new Rig(t, entry);
      await rig.thread.start();
      rig.plan = 'newest';
      rig.thread.send(leaseLetter(order('throw')));
      await rig.until(() => rig.failures.length === 1);
      const failed = performance.now();
      assert.deepEqual(rig.failures, [['ordered to throw', 100]]);
      assert.deepEqual([rig.thread.state, rig.thread.alive], ['failed', true]);
      await rig.until(() => rig.servings === 2 && rig.told.includes('newest'));
      assert.ok(performance.now() - failed < 1_000);
      assert.deepEqual([rig.thread.state, rig.thread.restarts], ['serving', 1]);
    });

    test('that is made to fail fails with that reason', async (t) => {
      const rig = new Rig(t, entry);
      await rig.thread.start();
      rig.thread.send({ type: 'fail', reason: 'for a test' });
      await rig.until(() => rig.failures.length === 1);
      assert.equal(rig.failures[0]?.[0], 'for a test');
    });

    test('that hangs in JavaScript is ended and started again', async (t) => {
      const rig = new Rig(t, entry);
      await rig.thread.start();
      rig.thread.send(leaseLetter(order('hang')));
      await rig.until(() => rig.servings === 2);
      assert.deepEqual(rig.failures, [['no answer to 10 pings', 100]]);
    });

    test('that hangs while it is closed is ended when its time is up', async (t) => {
      const rig = new Rig(t, entry);
      await rig.thread.start();
      rig.thread.send(leaseLetter(order('hang when closed')));
      const began = performance.now();
      await rig.thread.stop(150);
      assert.ok(performance.now() - began < 1_500);
      assert.deepEqual([rig.thread.state, rig.failures], ['stopped', []]);
    });
  });
}

const BLOCKING = 'answering-thread.ts';

test('a blocking thread that throws says what it saw in its last moment', async (t) => {
  const rig = new Rig(t, BLOCKING);
  await rig.thread.start();
  rig.thread.send(leaseLetter(order('throw')));
  await rig.until(() => rig.failures.length === 1);
  assert.deepEqual(rig.told, ['first', 'throw']);
});

test('a Plan sent while a thread still starts is taken up when the thread said so, not when it took up the first', async (t) => {
  const rig = new Rig(t, BLOCKING);
  const started = rig.thread.start().then(() => rig.readies);
  const applied = rig.thread.apply(planLetter('second')).then(() => rig.readies);
  const again = rig.thread.apply(planLetter('third')).then(() => rig.readies);
  assert.deepEqual(await Promise.all([started, applied, again]), [1, 2, 3]);
});

test('a Plan for a thread that dies over it is not waited for', async (t) => {
  const rig = new Rig(t, BLOCKING);
  await rig.thread.start();
  rig.thread.send({ type: 'fail', reason: 'just before' });
  await rig.thread.apply(planLetter('second'));
  assert.equal(rig.thread.state, 'failed');
  await rig.thread.apply(planLetter('third'));
  assert.equal(rig.thread.state, 'failed', 'with no thread there is nothing to wait for');
});

test('a thread that can’t start is tried again after 100, 200, 400 ms', async (t) => {
  const rig = new Rig(t, 'stillborn-thread.ts');
  await rig.thread.start();
  assert.equal(rig.thread.state, 'failed');
  await rig.until(() => rig.failures.length === 3);
  assert.deepEqual(rig.failures, [
    ['stillborn', 100],
    ['stillborn', 200],
    ['stillborn', 400],
  ]);
  assert.deepEqual([rig.thread.restarts, rig.servings], [3, 0]);
});

test('a thread that the system does not give is tried again, too', async (t) => {
  // Node refuses such an address when the thread is made, as it does when the system has no thread left
  const rig = new Rig(t, 'http://192.0.2.1/thread.ts');
  await rig.thread.start();
  await rig.until(() => rig.failures.length === 2);
  assert.deepEqual(
    rig.failures.map(([, retry]) => retry),
    [100, 200],
  );
});

test('a thread that is told to stop while it starts stops, and stays so', async (t) => {
  const rig = new Rig(t, BLOCKING);
  const started = rig.thread.start();
  await rig.thread.stop(5_000);
  await started;
  assert.deepEqual([rig.thread.state, rig.thread.restarts, rig.failures], ['stopped', 0, []]);
});

test('a thread that waits to be tried again can be stopped', async (t) => {
  const rig = new Rig(t, 'stillborn-thread.ts');
  await rig.thread.start();
  await rig.thread.stop(1_000);
  assert.deepEqual([rig.thread.state, rig.failures.length], ['stopped', 1]);
});

test('what is sent after the end is lost, and does not ring a descriptor that is someone else’s by now', async (t) => {
  const rig = new Rig(t, BLOCKING);
  await rig.thread.start();
  const before = eventfds();
  await rig.thread.stop(2_000);
  const heirs: Wake[] = [];
  while (!before.isSubsetOf(eventfds())) heirs.push(new Wake(libc));
  assert.ok(heirs.length > 0);
  rig.thread.send({ type: 'ping', id: 1 });
  for (const heir of heirs) {
    assert.equal(libc.read(heir.fd, new Uint8Array(8), 8), -1, 'it was rung');
    heir.close();
  }
});

test('a process that stood still does not take its threads for dead', async (t) => {
  const rig = new Rig(t, BLOCKING);
  await rig.thread.start();
  await rig.until(() => rig.letters.some(({ type }) => type === 'pong'));
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 15 * PING_EVERY);
  const pongs = rig.letters.length;
  await rig.until(() => rig.letters.length > pongs + 1);
  assert.deepEqual(rig.failures, []);
});

test('zones are shown by the thread; one that dies before, or is not there, says so', async (t) => {
  const rig = new Rig(t, BLOCKING);
  const notRunning = { zones: [], fault: 'the service is not running: it starts again by itself' };
  assert.deepEqual(await rig.thread.orderZones({ kind: 'list' }), notRunning);
  await rig.thread.start();
  assert.deepEqual(await rig.thread.orderZones({ kind: 'list' }), { zones: [], fault: 'asked after 1 plans' });
  const never = rig.thread.orderZones({ kind: 'dump', zone: 'a' });
  rig.thread.send(leaseLetter(order('throw')));
  assert.deepEqual(await never, notRunning);
});

test('a thread that dies leaves no descriptor behind', async (t) => {
  const rig = new Rig(t, BLOCKING);
  await rig.thread.start();
  await rig.until(() => rig.thread.counters['plans'] === 1);
  const before = openSorts();
  rig.thread.send(leaseLetter(order('throw')));
  await rig.until(() => rig.servings === 2 && rig.readies === 2);
  assert.deepEqual(openSorts(), before);
});

function links(): (readonly [fd: number, link: string])[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [[Number(fd), readlinkSync(`/proc/self/fd/${fd}`)] as const];
    } catch {
      return [];
    }
  });
}

function eventfds(): Set<number> {
  return new Set(links().flatMap(([fd, link]) => (link === 'anon_inode:[eventfd]' ? [fd] : [])));
}

/** How many descriptors of each sort are open: `socket`, `anon_inode:[eventpoll]`, … */
function openSorts(): Record<string, number> {
  const sorts: Record<string, number> = {};
  for (const [, link] of links()) {
    const sort = link.replace(/:\[\d+\]$/, '');
    if (!sort.startsWith('/')) sorts[sort] = (sorts[sort] ?? 0) + 1;
  }
  return sorts;
}
