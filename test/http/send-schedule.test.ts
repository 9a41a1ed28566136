import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { SEND_LIMITS } from '../../src/http/send-limits.ts';
import { SendSchedule, type Sending, type SendingSigns } from '../../src/http/send-schedule.ts';
import { TokenBucket } from '../../src/http/token-bucket.ts';
import { HandLoop } from './hand-loop.ts';

const MIB = 1 << 20;
const LARGE = 64 * MIB;

/** A client that takes `rate` bytes a second, behind a socket that holds `window`. */
class Client implements Sending {
  readonly length: number;
  readonly client: string;
  given = 0;
  taken = 0;
  readonly turns: number[] = [];
  waited: number | undefined;
  fault: string | undefined;
  endedAt: number | undefined;
  readonly #rate: number;
  readonly #window: number;
  readonly #loop: HandLoop;
  #signs: SendingSigns | undefined;
  /** Of less than a byte. */
  #appetite = 0;

  constructor(loop: HandLoop, client: string, length: number, rate = Infinity, window = 4 * MIB) {
    this.#loop = loop;
    this.client = client;
    this.length = length;
    this.#rate = rate;
    this.#window = window;
  }

  get isReady(): boolean {
    return this.endedAt === undefined && this.given - this.taken < this.#window;
  }

  begin(signs: SendingSigns): void {
    this.#signs = signs;
  }

  turn(most: number): number {
    const bytes = Math.min(most, this.#window - (this.given - this.taken), this.length - this.given);
    this.given += bytes;
    this.turns.push(bytes);
    if (this.#rate === Infinity) this.taken = this.given;
    if (this.given === this.length) this.end();
    return bytes;
  }

  delivered(): number {
    return this.taken;
  }

  hasPlace(waited: number): void {
    this.waited = waited;
  }

  giveUp(reason: string): void {
    this.fault = reason;
    this.end();
  }

  end(): void {
    this.endedAt ??= this.#loop.clock.monotonic();
    this.#signs?.ended();
  }

  /** A millisecond of the client's life. */
  live(): void {
    const could = this.isReady;
    this.#appetite = Math.min(this.given - this.taken, this.#appetite + this.#rate / 1000);
    this.taken += Math.floor(this.#appetite);
    this.#appetite -= Math.floor(this.#appetite);
    if (!could && this.isReady) this.#signs?.ready();
  }
}

/** A schedule and its clients; the wire carries `capacity` bytes a millisecond, divided evenly among those with something on it. */
class World {
  readonly loop = new HandLoop();
  readonly schedule: SendSchedule;
  readonly clients: Client[] = [];

  constructor(limits: Partial<typeof SEND_LIMITS> = {}) {
    const { clock, defer } = this.loop;
    this.schedule = new SendSchedule({ limits: { ...SEND_LIMITS, ...limits }, clock, loop: this.loop, defer });
  }

  enter(length: number, rate?: number, bucket?: TokenBucket, window?: number): Client {
    return this.enterAs(`10.0.0.${this.clients.length}`, length, rate, bucket, window);
  }

  enterAs(address: string, length: number, rate?: number, bucket?: TokenBucket, window?: number): Client {
    const client = new Client(this.loop, address, length, rate, window);
    this.clients.push(client);
    this.schedule.enter(client, bucket);
    return client;
  }

  pass(milliseconds: number): void {
    this.loop.pass(milliseconds, () => this.clients.forEach((client) => client.live()));
  }
}

describe('turns', () => {
  test('are bounded, and go round', () => {
    const world = new World({ turn: 10, tick: 30 * 4096 });
    const [a, b] = [world.enter(100), world.enter(100)];
    world.loop.round();
    assert.equal(a.given, 100);
    assert.deepEqual(a.turns, Array(10).fill(10));
    assert.deepEqual(b.turns, Array(10).fill(10));
  });

  test('leave time for the other events of the thread, though they could go on', () => {
    const world = new World({ tick: 4 * MIB });
    const client = world.enter(LARGE);
    world.loop.round();
    assert.equal(client.given, 4 * MIB);
    world.loop.settle();
    assert.equal(client.given, LARGE);
  });

  test('nobody has whose socket is full, and nothing spins meanwhile', () => {
    const world = new World();
    const client = world.enter(LARGE, 0);
    world.loop.settle();
    const turns = client.turns.length;
    world.pass(1000);
    assert.equal(client.turns.length, turns);
    assert.equal(world.loop.pending, 1);
  });

  test('are over with the last transfer: no timer is left', () => {
    const world = new World();
    world.enter(100).end();
    world.pass(1000);
    assert.deepEqual(world.schedule.levels(), { sending: 0, waiting: 0 });
    assert.equal(world.loop.pending, 0);
  });
});

describe('when many large transfers begin at once', () => {
  test('the first go at full speed, the rest get enough not to give up, and each its place in order', () => {
    const world = new World({ places: 2 });
    const rate = 100 * MIB;
    const clients = Array.from({ length: 6 }, () => world.enter(LARGE, rate));
    world.pass(400);
    assert.deepEqual(world.schedule.levels(), { sending: 6, waiting: 4 });
    assert.deepEqual(
      clients.slice(2).map(({ given }) => given),
      Array(4).fill(SEND_LIMITS.first),
    );
    world.pass(3000);
    const ends = clients.map(({ endedAt }) => endedAt ?? NaN);
    for (const [i, end] of ends.entries()) {
      const expected = 640 * (1 + Math.floor(i / 2));
      assert.ok(Math.abs(end - expected) < 150, `client ${i} ended at ${end}, expected about ${expected}`);
    }
    assert.equal(clients[0]?.waited, undefined);
    assert.ok((clients[5]?.waited ?? 0) > 1000);
  });

  test('one client that wants them all gets some of the places, and the others go on', () => {
    const world = new World({ places: 4, placesOfClient: 2 });
    const greedy = Array.from({ length: 10 }, () => world.enterAs('10.9.9.9', LARGE, 20 * MIB));
    const [a, b] = [world.enter(LARGE, 20 * MIB), world.enter(LARGE, 20 * MIB)];
    world.pass(1000);
    assert.deepEqual(world.schedule.levels(), { sending: 12, waiting: 8 });
    assert.ok(a.taken > 15 * MIB && b.taken > 15 * MIB, `${a.taken}, ${b.taken}`);
    world.pass(30_000);
    assert.ok([...greedy, a, b].every(({ endedAt }) => endedAt !== undefined));
    assert.deepEqual(world.schedule.levels(), { sending: 0, waiting: 0 });
  });

  test('one that waits hears from us every second', () => {
    const world = new World({ places: 1 });
    world.enter(100 * LARGE, 10 * MIB);
    const waiting = world.enter(LARGE, 10 * MIB);
    world.pass(500);
    assert.equal(waiting.given, SEND_LIMITS.first);
    for (let second = 1; second <= 10; second++) {
      world.pass(1000);
      assert.equal(waiting.given, SEND_LIMITS.first + second * SEND_LIMITS.trickle);
    }
  });

  test('a small file waits for nobody', () => {
    const world = new World({ places: 1 });
    for (let i = 0; i < 5; i++) world.enter(LARGE, 10 * MIB);
    const small = world.enter(MIB - 1, 100 * MIB);
    world.pass(20);
    assert.equal(small.given, MIB - 1);
  });

  test('2,000 that hardly read hold up a healthy one for no more than a moment', () => {
    const world = new World();
    for (let i = 0; i < 2000; i++) world.enter(LARGE, 1000, undefined, 64 * 1024);
    world.pass(1000);
    const healthy = world.enter(LARGE, 100 * MIB);
    world.pass(1000);
    assert.ok((healthy.endedAt ?? Infinity) - 1000 <= 900, `ended after ${(healthy.endedAt ?? Infinity) - 1000} ms`);
  });

  test('those that came slow give their places up at once, and then take nobody’s', () => {
    const world = new World({ places: 2 });
    const slow = [world.enter(LARGE, 100_000), world.enter(LARGE, 100_000)];
    const healthy = world.enter(LARGE, 100 * MIB);
    world.pass(300);
    assert.ok((healthy.waited ?? Infinity) <= 200, `waited ${healthy.waited} ms`);
    assert.ok(slow.every(({ given }) => given > 4 * MIB));
  });
});

describe('a client that takes nothing', () => {
  test('is hung up on after two minutes, and not before', () => {
    const world = new World();
    const client = world.enter(LARGE, 0);
    world.pass(119_000);
    assert.equal(client.fault, undefined);
    world.pass(3_000);
    assert.equal(client.fault, 'the client took less than 65536 bytes in 120 s');
  });

  test('is one that takes less than half a kilobyte a second; one that takes more is served on', () => {
    const world = new World();
    const [crawls, walks] = [world.enter(LARGE, 500), world.enter(LARGE, 600)];
    world.pass(600_000);
    assert.notEqual(crawls.fault, undefined);
    assert.equal(walks.fault, undefined);
  });

  test('is not one that waits for its turn', () => {
    const world = new World({ places: 1, trickle: 10 });
    world.enter(1000 * LARGE, 10 * MIB);
    const waiting = world.enter(LARGE, 10 * MIB);
    world.pass(300_000);
    assert.equal(waiting.fault, undefined);
  });
});

describe('a paced client', () => {
  for (const rate of [100_000, 10_000_000, 1_000_000_000]) {
    test(`gets ${rate} bytes a second, whatever it takes`, () => {
      const world = new World();
      const client = world.enter(100 * rate, Infinity, new TokenBucket(rate, world.loop.clock));
      world.pass(2000);
      assert.ok(Math.abs(client.given / (2 * rate) - 1) < 0.1, `${client.given / 2} a second`);
    });
  }

  test('shares its pace among its connections', () => {
    const world = new World();
    const bucket = new TokenBucket(10_000_000, world.loop.clock);
    const clients = Array.from({ length: 4 }, () => world.enter(LARGE, Infinity, bucket));
    world.pass(2000);
    const all = clients.reduce((sum, { given }) => sum + given, 0);
    assert.ok(Math.abs(all / 20_000_000 - 1) < 0.1, `${all / 2} a second`);
    for (const { given } of clients) assert.ok(given > 3_000_000, `${given} of ${all}`);
  });

  test('is never sent more at once than a 50th of a second’s worth', () => {
    const world = new World();
    const client = world.enter(LARGE, Infinity, new TokenBucket(10_000_000, world.loop.clock));
    world.pass(1000);
    assert.ok(Math.max(...client.turns) <= 200_000);
    assert.ok(client.turns.length < 400);
  });

  test('keeps its place although it is slower than the others', () => {
    const world = new World({ places: 1 });
    const paced = world.enter(LARGE, 2 * MIB, new TokenBucket(1_200_000, world.loop.clock));
    const next = world.enter(LARGE, 100 * MIB);
    world.pass(2000);
    assert.equal(next.waited, undefined);
    paced.end();
    world.pass(100);
    assert.ok((next.waited ?? 0) >= 2000);
  });
});
