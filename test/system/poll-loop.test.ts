import assert from 'node:assert/strict';
import { after, beforeEach, describe, test } from 'node:test';

import * as fc from 'fast-check';

import { systemClock, type Clock } from '../../src/system/clock.ts';
import { loadLibc, SystemCallError, type Libc } from '../../src/system/libc.ts';
import { PollLoop } from '../../src/system/poll-loop.ts';
import { Wake } from '../../src/system/wake.ts';

const libc = loadLibc();

describe('descriptors', () => {
  const wakes = [new Wake(libc), new Wake(libc), new Wake(libc)] as const;
  const [first, second, third] = wakes;
  let loop = new PollLoop(libc, systemClock);

  beforeEach(() => {
    loop.close();
    loop = new PollLoop(libc, systemClock);
    for (const wake of wakes) wake.silence();
  });
  after(() => {
    loop.close();
    for (const wake of wakes) wake.close();
  });

  test('only the handler of a descriptor that has something is called', () => {
    const called: string[] = [];
    loop.watch(first.fd, () => called.push('first'));
    loop.watch(second.fd, () => (called.push('second'), loop.stop()));
    second.ring();
    loop.run();
    assert.deepEqual(called, ['second']);
  });

  test('a handler is called again as long as something is left', () => {
    let calls = 0;
    loop.watch(first.fd, () => (++calls === 3 ? loop.stop() : undefined));
    first.ring();
    loop.run();
    assert.equal(calls, 3);
  });

  test('it rests once when it is told to, and looks again after that', () => {
    const at: number[] = [];
    loop.watch(first.fd, () => {
      at.push(systemClock.monotonic());
      if (at.length === 1) loop.rest(20);
      if (at.length === 3) loop.stop();
    });
    first.ring();
    loop.run();
    const [a = 0, b = 0] = at;
    assert.ok(b - a >= 19, `rested ${b - a} ms`);
    assert.equal(at.length, 3);
  });

  test('a handler that closes another watch keeps it from being called, although it was ready, too', () => {
    const called: string[] = [];
    const watches = wakes.map((wake, index) =>
      loop.watch(wake.fd, () => {
        called.push(`handler ${index}`);
        for (const watch of watches) watch.close();
        loop.after(0, () => loop.stop());
      }),
    );
    for (const wake of wakes) wake.ring();
    loop.run();
    assert.equal(called.length, 1);
  });

  test('a closed watch can be set up again, and closing the old one twice leaves the new one alone', () => {
    const old = loop.watch(first.fd, () => assert.fail('closed'));
    old.close();
    let called = false;
    loop.watch(first.fd, () => {
      called = true;
      loop.stop();
    });
    old.close();
    first.ring();
    loop.run();
    assert.equal(called, true);
  });

  test('after stop nothing more is called, be it ready or due', () => {
    const called: string[] = [];
    for (const wake of wakes) {
      loop.watch(wake.fd, () => {
        called.push('handler');
        loop.stop();
      });
      wake.ring();
    }
    loop.run();
    assert.deepEqual(called, ['handler']);
  });

  test('what a handler throws ends the loop and comes out', () => {
    loop.watch(first.fd, () => {
      throw new Error('broken');
    });
    first.ring();
    assert.throws(() => loop.run(), /broken/);
  });

  test('a loop that threw can run again', () => {
    const watch = loop.watch(first.fd, () => {
      watch.close();
      throw new Error('broken');
    });
    loop.watch(second.fd, () => loop.stop());
    first.ring();
    assert.throws(() => loop.run(), /broken/);
    second.ring();
    loop.run();
  });

  test('a descriptor is watched once', () => {
    loop.watch(third.fd, () => undefined);
    assert.throws(() => loop.watch(third.fd, () => undefined), { name: 'SystemCallError', code: 'EEXIST' });
  });

  test('what is no descriptor is refused', () => {
    assert.throws(() => loop.watch(-1, () => undefined), { name: 'SystemCallError', code: 'EBADF' });
  });

  test('three hundred ready descriptors are all served, more than one call reports', () => {
    const many = Array.from({ length: 300 }, () => new Wake(libc));
    const served = new Set<number>();
    for (const wake of many) {
      loop.watch(wake.fd, () => {
        served.add(wake.fd);
        wake.silence();
        if (served.size === many.length) loop.stop();
      });
      wake.ring();
    }
    loop.run();
    assert.equal(served.size, 300);
    for (const wake of many) wake.close();
  });
});

test('streams are served a few at a time, by turns, and all else before each few', (t) => {
  const [datagrams, ...streams] = Array.from({ length: 21 }, () => new Wake(libc));
  assert.ok(datagrams);
  let now = 0;
  const loop = new PollLoop(libc, { now: () => 0, monotonic: () => ++now });
  t.after(() => (loop.close(), [datagrams, ...streams].forEach((wake) => wake.close())));
  const served: string[] = [];
  loop.watch(datagrams.fd, () => (served.push('datagrams'), served.length > 50 && loop.stop()));
  streams.forEach(({ fd }, i) => loop.watchDuplex(fd, () => served.push(`stream ${i}`)));
  for (const wake of [datagrams, ...streams]) wake.ring();
  loop.run();
  const others = served.map((name, at) => (name === 'datagrams' ? at : -1)).filter((at) => at >= 0);
  assert.deepEqual(others, [0, 9, 18, 27, 36, 45, 54]);
  const [first, second] = [0, 20].map((at) => served.filter((name) => name !== 'datagrams').slice(at, at + 20));
  assert.equal(new Set(first).size, 20);
  assert.deepEqual(first, second);
});

/** An epoll that never has anything, and a clock that moves on by what was waited: no time passes in the test. */
function sleepless(): { loop: PollLoop; clock: Clock; waits: number[] } {
  let now = 1000;
  const waits: number[] = [];
  const clock: Clock = { now: () => now, monotonic: () => now };
  const fake: Libc = {
    ...libc,
    epoll_create1: () => 99,
    epoll_ctl: () => 0,
    epoll_wait: (_epoll, _events, _count, milliseconds) => {
      waits.push(milliseconds);
      now += milliseconds;
      return 0;
    },
    close: () => 0,
  };
  return { loop: new PollLoop(fake, clock), clock, waits };
}

describe('timers', () => {
  test('fire in the order of their times, never early', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.nat(40_000).map((quarters) => quarters / 4),
          { minLength: 1 },
        ),
        (delays) => {
          const { loop, clock } = sleepless();
          const fired: number[] = [];
          for (const delay of delays) {
            loop.after(delay, () => {
              assert.ok(clock.monotonic() >= 1000 + delay);
              if (fired.push(delay) === delays.length) loop.stop();
            });
          }
          loop.run();
          assert.deepEqual(
            fired,
            delays.toSorted((a, b) => a - b),
          );
        },
      ),
    );
  });

  test('a cancelled timer does not fire, also when one due at the same time cancels it', () => {
    const { loop } = sleepless();
    const fired: string[] = [];
    const early = loop.after(1, () => fired.push('cancelled before'));
    early.cancel();
    loop.after(2, () => {
      fired.push('second');
      late.cancel();
    });
    const late = loop.after(2.5, () => fired.push('cancelled by the second'));
    loop.after(4, () => loop.stop());
    loop.run();
    assert.deepEqual(fired, ['second']);
  });

  test('a timer set by a timer fires in its turn', () => {
    const { loop, clock } = sleepless();
    const fired: number[] = [];
    loop.after(10, () => {
      fired.push(clock.monotonic());
      loop.after(5, () => {
        fired.push(clock.monotonic());
        loop.stop();
      });
    });
    loop.after(12, () => fired.push(clock.monotonic()));
    loop.run();
    assert.deepEqual(fired, [1010, 1012, 1015]);
  });

  test('a timer that stops the loop is the last one to fire', () => {
    const { loop } = sleepless();
    loop.after(1, () => loop.stop());
    loop.after(1, () => assert.fail('stopped'));
    loop.run();
  });

  test('a wait is a minute at most, whole milliseconds, and never negative', () => {
    const { loop, waits } = sleepless();
    loop.after(-5, () => loop.after(0.2, () => loop.after(150_000, () => loop.stop())));
    loop.run();
    assert.deepEqual(waits, [1, 60_000, 60_000, 30_000]);
  });

  test('what a timer throws comes out', () => {
    const { loop } = sleepless();
    loop.after(0, () => {
      throw new Error('late');
    });
    assert.throws(() => loop.run(), /late/);
  });

  test('a real timer wakes a loop that has nothing else to do', () => {
    const loop = new PollLoop(libc, systemClock);
    const began = performance.now();
    loop.after(3, () => loop.stop());
    loop.run();
    assert.ok(performance.now() - began >= 3);
    loop.close();
  });
});

test('an epoll that fails is reported with its errno', () => {
  const loop = new PollLoop(libc, systemClock);
  loop.close();
  assert.throws(
    () => loop.run(),
    (error) => error instanceof SystemCallError && error.code === 'EBADF' && /^epoll_wait: EBADF$/.test(error.message),
  );
});

test('timers that are cancelled long before they are due do not pile up, and the others fire in their order', (t) => {
  const loop = new PollLoop(libc, systemClock);
  t.after(() => loop.close());
  const fired: number[] = [];
  for (const due of [3, 1, 2]) loop.after(due, () => fired.push(due));
  for (let i = 0; i < 100_000; i++) loop.after(255_000, () => fired.push(255_000)).cancel();
  assert.ok(loop.timers < 5000, `${loop.timers} timers`);
  const last = loop.after(4, () => (last.cancel(), loop.stop()));
  loop.run();
  assert.deepEqual(fired, [1, 2, 3]);
});
