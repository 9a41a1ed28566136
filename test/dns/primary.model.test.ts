import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import type { Plan } from '../../src/plan/plan.ts';
import { openZoneStore } from '../../src/zones/open-zone-store.ts';
import { toColumns, type ZoneColumns } from '../../src/zones/zone-columns.ts';
import { ORIGIN, record, soa } from '../zones/records.ts';
import { ip4, leaseOf } from './plan-of.ts';
import { axfrQuery, ixfrQuery, Primary, primaryPlan, rcodeOf, recordLines, SECONDARY } from './primary.ts';
import { updateMessage } from './update/update-message.ts';

const RUNS = 12;
const PLACES = 5;

type Step =
  | { readonly do: 'update'; readonly at: number; readonly isAdded: boolean }
  /** The zone's file: names, at addresses that end so, and by how much its serial rises. */
  | { readonly do: 'file'; readonly names: readonly number[]; readonly last: number; readonly rise: number }
  | { readonly do: 'bind' | 'end'; readonly at: number }
  | { readonly do: 'withdraw' | 'return' }
  | { readonly do: 'pass'; readonly milliseconds: number }
  /** The process ends, and another starts; `isBlind`: it can't open the file of zones at once. */
  | { readonly do: 'crash' | 'stop'; readonly isBlind: boolean };

const place = fc.nat(PLACES - 1);
const wait = fc.record({ do: fc.constant('pass' as const), milliseconds: fc.constantFrom(0, 1, 50, 51, 3000, 31_000) });
const coming = fc.oneof(
  { weight: 3, arbitrary: wait },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('withdraw' as const, 'return' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('crash' as const, 'stop' as const), isBlind: fc.boolean() }),
  },
);
const update = fc.record({ do: fc.constant('update' as const), at: place, isAdded: fc.boolean() });
const file = fc.record({
  do: fc.constant('file' as const),
  names: fc.uniqueArray(place),
  last: fc.nat(2),
  rise: fc.nat(2),
});
const lease = fc.record({ do: fc.constantFrom('bind' as const, 'end' as const), at: place });

/** A zone's life over many processes, as the one secondary sees it that never forgets. */
class Life {
  readonly #folder = mkdtempSync(join(tmpdir(), 'rackboot-life-'));
  readonly #plan: Plan;
  /** What the zone was at each serial. */
  readonly #seen = new Map<number, string>();
  /** What updates that were answered with NOERROR left there. */
  readonly #updated = new Set<string>();
  readonly #leases = new Set<number>();
  #file = { serial: 7, lines: ['a A 192.0.2.1'] };
  #isServed = true;
  #processes = 0;
  #checked = '';
  #primary: Primary;

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#primary = this.#start(false);
  }

  take(step: Step): void {
    const { zones, time, authority } = this.#primary;
    switch (step.do) {
      case 'update': {
        const line = `u${step.at} A 192.0.2.200`;
        const rcode = rcodeOf(this.#primary.askUdp(updateMessage([`${step.isAdded ? 'add' : 'del'} ${line}`])));
        if (rcode === 0 && step.isAdded) this.#updated.add(line);
        if (rcode === 0 && !step.isAdded) this.#updated.delete(line);
        return;
      }
      case 'file': {
        const lines = step.names.map((name) => `n${name} A 192.0.2.${step.last}`);
        this.#file = { serial: this.#file.serial + step.rise, lines };
        if (this.#isServed) zones.learnZones(this.#columns(), []);
        return;
      }
      case 'bind':
        this.#leases.add(step.at);
        return zones.learn([leaseAt(step.at)], []);
      case 'end':
        this.#leases.delete(step.at);
        return zones.learn([], [leaseAt(step.at).address]);
      case 'withdraw':
      case 'return': {
        this.#isServed = step.do === 'return';
        const plan = this.#planNow();
        zones.readAgain(authority.apply(plan));
        zones.apply(plan);
        return this.#readFile();
      }
      case 'pass':
        return time.pass(step.milliseconds, 'milliseconds');
      case 'crash':
      case 'stop':
        if (step.do === 'stop') this.#primary.close();
        this.#primary = this.#start(step.isBlind);
    }
  }

  /** One content for each serial; and from any serial that was ever seen IXFR leads to the content of now. */
  check(): void {
    const whole = this.#primary.ask(axfrQuery());
    if (rcodeOf(whole[0]) !== 0 || this.#isBlind()) return;
    const lines = recordLines(whole);
    const serial = Number(lines[0]?.split(' ').at(-1));
    const state = `${this.#processes} ${serial}`;
    const content = contentOf(lines.slice(1, -1));
    assert.equal(this.#seen.get(serial) ?? content, content, `serial ${serial} stands for two contents`);
    this.#seen.set(serial, content);
    const updated = [...this.#updated].map((line) => line.replace(' ', '.rack.example '));
    assert.deepEqual(lines.filter((line) => line.startsWith('u')).toSorted(), updated.toSorted());
    if (state === this.#checked) return;
    this.#checked = state;
    for (const [from, before] of this.#seen) {
      const reply = recordLines(this.#primary.ask(ixfrQuery(from)));
      assert.equal(applied(before, reply, from === serial), content, `from ${from} to ${serial}: ${reply.join(', ')}`);
    }
  }

  close(): void {
    this.#primary.close();
    rmSync(this.#folder, { recursive: true });
  }

  /** What a process tells while it does not know what those before it did can't be held against it. */
  #isBlind(): boolean {
    const last = this.#primary.events.findLast(({ kind }) => kind.startsWith('dns.store-'));
    return last?.kind === 'dns.store-failed';
  }

  /** From what is on disk when the process before it is gone. */
  #start(isBlind: boolean): Primary {
    const [before, now] = [this.#fileOf(this.#processes), this.#fileOf(this.#processes + 1)];
    for (const tail of ['', '-wal']) if (existsSync(before + tail)) cpSync(before + tail, now + tail);
    this.#processes++;
    let isClosed = isBlind;
    const open: typeof openZoneStore = (...wishes) => {
      if (!isClosed) return openZoneStore(...wishes);
      isClosed = false;
      return { fault: 'not mounted' };
    };
    this.#primary = new Primary(this.#planNow(), { file: now, open });
    this.#primary.time.setWall(this.#processes * 100);
    this.#primary.zones.learn([...this.#leases].map(leaseAt), []);
    this.#readFile();
    return this.#primary;
  }

  #fileOf(process: number): string {
    return join(this.#folder, `zones-${process}.db`);
  }

  #planNow(): Plan {
    return this.#isServed ? this.#plan : { ...this.#plan, subnets: [], dns: { ...this.#plan.dns, zones: [] } };
  }

  #readFile(): void {
    if (this.#plan.dns.zones.length === 0) return;
    this.#primary.zones.learnZones(this.#isServed ? this.#columns() : [], this.#isServed ? [] : ['rack.example']);
  }

  #columns(): ZoneColumns[] {
    const { serial, lines } = this.#file;
    return [toColumns(ORIGIN, [soa(serial), ...['@ NS ns.rack.example', ...lines].map((line) => record(line))])];
  }
}

function leaseAt(at: number): ReturnType<typeof leaseOf> {
  return leaseOf(`192.0.2.2${at} 52:54:00:00:00:0${at} m${at}`);
}

function contentOf(lines: Iterable<string>): string {
  return [...lines].toSorted().join('|');
}

function isSoa(line: string): boolean {
  return line.startsWith('rack.example SOA');
}

/** What a secondary has that had `before`, when it has done what an answer to IXFR says (RFC 1995 §4). */
function applied(before: string, reply: readonly string[], isSame: boolean): string {
  if (reply.length === 1) return isSame ? before : `it is told that it has all: ${before}`;
  if (!isSoa(reply[1] ?? '')) return contentOf(reply.slice(1, -1));
  const middle = reply.findIndex((line, index) => index > 1 && isSoa(line));
  const records = new Set(before.split('|'));
  for (const line of reply.slice(2, middle)) assert.ok(records.delete(line), `${line} goes and was not there`);
  for (const line of reply.slice(middle + 1, -1)) assert.ok(!records.has(line) && records.add(line), `${line} twice`);
  return contentOf(records);
}

function live(plan: Plan, steps: readonly Step[]): void {
  const life = new Life(plan);
  try {
    for (const step of steps) {
      life.take(step);
      life.check();
    }
  } finally {
    life.close();
  }
}

describe('over crashes, stops, disks that come late and zones that leave, a serial stands for one content', () => {
  const rackPlan = primaryPlan();
  const mayUpdate = [{ cidr: { network: ip4(SECONDARY), prefix: 32 } }];
  const { transfer } = rackPlan.dns;
  const filePlan: Plan = {
    ...rackPlan,
    subnets: [],
    dns: { ...rackPlan.dns, zones: [{ name: 'rack.example', update: mayUpdate, transfer, notify: [] }] },
  };
  const kinds: [name: string, plan: Plan, changes: fc.Arbitrary<Step>][] = [
    ['a zone of a file', filePlan, fc.oneof(update, update, file)],
    ['a zone of the rack', rackPlan, lease],
  ];
  for (const [name, plan, changes] of kinds) {
    test(name, () => {
      const steps = fc.array(fc.oneof(changes, coming), { minLength: 20, maxLength: 60 });
      fc.assert(
        fc.property(steps, (taken) => live(plan, taken)),
        { numRuns: Number(process.env['RACKBOOT_LIVES'] ?? RUNS), seed: 20_261_128 },
      );
    });
  }
});
