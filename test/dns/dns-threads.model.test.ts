import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import type { Plan } from '../../src/plan/plan.ts';
import { nameKey, type NameKey } from '../../src/wire/dns/name.ts';
import { toColumns, type ZoneColumns } from '../../src/zones/zone-columns.ts';
import { ORIGIN, record, soa } from '../zones/records.ts';
import { leaseOf, planOf } from './plan-of.ts';
import { DnsThreads } from './thread-rig.ts';

const LAB = nameKey('lab.test');
const ADDRESSES = 6;
const NAMES = 4;
/** More records than a thread puts into a zone at once. */
const LARGE = 1100;
const NOTHING = 'nothing';

type Step =
  | { readonly do: 'bind'; readonly at: number; readonly name: number }
  | { readonly do: 'end'; readonly at: number }
  /** The file of lab.test: these names, at addresses that end so. */
  | { readonly do: 'file'; readonly names: readonly number[]; readonly last: number; readonly isLarge: boolean }
  | { readonly do: 'plan'; readonly hosts: number; readonly hasFile: boolean }
  | { readonly do: 'crash' | 'start'; readonly thread: 'dns' | 'dns-2' | 'dns-3' }
  /** A thread is not told of what changes. */
  | { readonly do: 'deafen' | 'heal' }
  | { readonly do: 'turn'; readonly times: number };

const place = fc.nat(ADDRESSES - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('bind' as const), at: place, name: fc.nat(NAMES - 1) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('end' as const), at: place }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('file' as const),
      names: fc.uniqueArray(fc.nat(NAMES - 1)),
      last: fc.nat(3),
      isLarge: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('plan' as const), hosts: fc.nat(2), hasFile: fc.boolean() }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('crash' as const, 'start' as const),
      thread: fc.constantFrom('dns' as const, 'dns-2' as const, 'dns-3' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('deafen' as const, 'heal' as const) }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('turn' as const), times: fc.integer({ min: 1, max: 30 }) }) },
);

function planWith(hosts: number, hasFile: boolean): Plan {
  const plan = planOf({
    subnets: ['192.0.2.0/24 rack.example 192.0.2.1'],
    hosts: Array.from({ length: hosts }, (_, i) => `h${i} 192.0.2.${100 + i}`),
  });
  const { rateLimit: _off, ...dns } = plan.dns;
  const lab = { name: 'lab.test', file: '/lab.zone', update: [], transfer: [], notify: [] };
  return { ...plan, dns: { ...dns, threads: 3, zones: hasFile ? [lab] : [] } };
}

function labZone(serial: number, lines: readonly string[]): ZoneColumns {
  const records = [soa(serial), ...lines.map((line) => record(line))];
  const moved = records.map((one) => ({ ...one, owner: (one.owner.slice(0, -ORIGIN.length) + LAB) as NameKey }));
  return toColumns(LAB, moved);
}

/** A rack's side of it: what is the case now. */
class World {
  readonly threads = new DnsThreads(planWith(1, true), { isSlow: true });
  #serial = 1;
  #hosts = 1;
  #hasFile = true;

  take(step_: Step): void {
    const { threads } = this;
    switch (step_.do) {
      case 'bind':
        return threads.learn([leaseOf(`${addressAt(step_.at)} 52:54:00:00:00:0${step_.at} x${step_.name}`)]);
      case 'end':
        return threads.learn([], [addressAt(step_.at)]);
      case 'file':
        return this.#write(step_);
      case 'plan':
        [this.#hosts, this.#hasFile] = [step_.hosts, step_.hasFile];
        threads.apply(planWith(this.#hosts, this.#hasFile));
        if (!this.#hasFile) threads.learnZones([], ['lab.test']);
        return;
      case 'crash':
        return threads.names.includes(step_.thread) ? threads.crash(step_.thread) : undefined;
      case 'start':
        return threads.names.includes(step_.thread) ? undefined : threads.start(step_.thread);
      case 'deafen':
        threads.loses = (note, to) => note.kind === 'zone-change' && to === 'dns-2';
        return;
      case 'heal':
        threads.loses = () => false;
        return;
      case 'turn':
        for (let i = 0; i < step_.times; i++) threads.turn();
    }
  }

  /** All threads run, and each zone changed once more: who missed something finds out. */
  end(): void {
    this.take({ do: 'heal' });
    for (const thread of ['dns', 'dns-2', 'dns-3'] as const) this.take({ do: 'start', thread });
    this.threads.settle();
    this.threads.learn([leaseOf('192.0.2.99 52:54:00:00:00:99 last')]);
    this.take({ do: 'file', names: [0], last: 9, isLarge: false });
    this.threads.settle();
  }

  #write({ names, last, isLarge }: Step & { readonly do: 'file' }): void {
    if (!this.#hasFile) return;
    const lines = names.map((name) => `x${name} A 10.0.0.${last}`);
    const more = Array.from({ length: isLarge ? LARGE : 0 }, (_, i) => `m${i} A 10.1.${i >> 8}.${last}`);
    this.threads.learnZones([labZone(++this.#serial, [...lines, ...more])]);
  }
}

function addressAt(place_: number): string {
  return `192.0.2.${10 + place_}`;
}

const QUESTIONS = [
  'rack.example SOA',
  '2.0.192.in-addr.arpa SOA',
  'lab.test SOA',
  'm7.lab.test A',
  'last.rack.example A',
  ...Array.from({ length: NAMES }, (_, i) => [`x${i}.rack.example A`, `x${i}.lab.test A`]).flat(),
  ...Array.from({ length: ADDRESSES }, (_, i) => `${10 + i}.2.0.192.in-addr.arpa PTR`),
  ...[0, 1].map((i) => `h${i}.rack.example A`),
];

test('whatever happens in whatever order, all threads come to answer the same', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 5, maxLength: 60 }), (steps) => {
      const world = new World();
      for (const each of steps) world.take(each);
      world.end();
      const serials = QUESTIONS.slice(0, 3).map((line) => bytesOf(world.threads, 'dns', line));
      for (const name of ['dns-2', 'dns-3'] as const) {
        for (const line of QUESTIONS) {
          assert.deepEqual(world.threads.ask(name, line), world.threads.ask('dns', line), `${name}: ${line}`);
          assert.notDeepEqual(world.threads.ask(name, line), [NOTHING]);
        }
        assert.deepEqual(
          QUESTIONS.slice(0, 3).map((line) => bytesOf(world.threads, name, line)),
          serials,
        );
      }
      world.threads.close();
    }),
    { numRuns: 200 },
  );
});

/** With the serial, which lines do not show. */
function bytesOf(threads: DnsThreads, name: 'dns' | 'dns-2' | 'dns-3', line: string): string {
  threads.ask(name, line);
  return threads.socket(name).sent.at(-1)?.bytes.toString('hex') ?? '';
}
