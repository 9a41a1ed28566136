import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

import { formatIp4, toIp4 } from '../../src/addr/ip4.ts';
import type { Mac } from '../../src/addr/mac.ts';
import type { Plan, RegionSettings } from '../../src/plan/plan.ts';
import { toColumns } from '../../src/service/lease-columns.ts';
import type { LeaseFact } from '../../src/service/letters.ts';
import type { RackFacts, RegionState, RegionWish } from '../../src/service/region-letters.ts';
import { CredentialsFile } from '../../src/sync/credentials-file.ts';
import { openOutbox } from '../../src/sync/open-outbox.ts';
import { RackSecret } from '../../src/sync/rack-secret.ts';
import { SyncService } from '../../src/sync/sync-service.ts';
import type { RawAnswer } from '../../src/sync/transport.ts';
import type { Timer } from '../../src/system/loop.ts';
import type { EventBody, RackEvent } from '../../src/timeline/event.ts';
import { PLAN } from '../rack/fake-rack.ts';
import { RACK } from './link-rig.ts';
import { RegionDouble } from './region-double.ts';
import { SlowTime } from './slow-time.ts';

const FACTS: RackFacts = {
  startedAt: 1,
  services: [{ name: 'dhcp', state: 'serving', restarts: 0 }],
  plan: { conflicts: [] },
  interfaces: [{ name: 'eth0', address: '192.0.2.1', prefix: 24 }],
  images: [],
  isImporting: false,
  leases: 0,
  notices: [],
  file: { hash: '0'.repeat(64) },
};

/** The service with a region without a wire, and a rack's process that does what is wished for at once. */
export class SyncRig {
  readonly time: SlowTime;
  readonly region: RegionDouble;
  readonly state: string;
  readonly told: EventBody[] = [];
  readonly wishes: RegionWish[] = [];
  /** Leases as the rack's process knows them. */
  readonly leases = new Map<number, LeaseFact>();
  /** Wishes of these kinds are not heard. */
  readonly deaf = new Set<RegionWish['kind']>();
  readonly credentials: CredentialsFile;
  bounds = { bytes: 64 * 2 ** 20, seconds: 14 * 86_400 };
  service: SyncService;
  #letters = 0;
  /** Of the thread: a dead one does nothing more. */
  #life = { isAlive: true };

  constructor(t: TestContext, isEnrolled = true) {
    this.time = new SlowTime();
    this.region = new RegionDouble(this.time);
    this.state = mkdtempSync(join(tmpdir(), 'rackboot-sync-'));
    this.credentials = new CredentialsFile(join(this.state, 'region.key'), this.state);
    if (isEnrolled) this.enrol();
    this.service = this.#create();
    t.after(() => {
      this.service.close();
      rmSync(this.state, { recursive: true });
    });
  }

  get kinds(): string[] {
    return this.told.map(({ kind }) => kind);
  }

  get lastState(): RegionState | undefined {
    return this.wishes.flatMap((wish) => (wish.kind === 'state' ? [wish.state] : [])).at(-1);
  }

  enrol(): void {
    const key = RackSecret.create();
    this.credentials.write({ rack: RACK, key });
    this.region.keyHash = key.hash;
  }

  /** A Plan with a region in it. */
  start(changed: Partial<RegionSettings> = {}): void {
    this.service.apply(this.plan(changed));
  }

  plan(changed: Partial<RegionSettings> = {}): Plan {
    const region = { urls: ['https://a'], credentials: this.credentials.path, outbox: this.bounds, ...changed };
    return { ...PLAN, rack: { ...PLAN.rack, state: this.state }, region };
  }

  /** The thread ends, or dies with all it had not written, and another takes its place. */
  restart(how: 'ends' | 'dies' = 'ends'): void {
    if (how === 'ends') this.service.close();
    this.#life.isAlive = false;
    this.service = this.#create();
    this.start();
  }

  /** Events as the rack's process hands them over; gives the letter. */
  emit(...bodies: readonly EventBody[]): {
    readonly kind: 'events';
    readonly life: string;
    readonly number: number;
    readonly lines: string;
  } {
    const at = this.time.now();
    const lines = bodies.map((body) => JSON.stringify({ ...body, at, source: 'rack' } satisfies RackEvent)).join('\n');
    const letter = { kind: 'events', life: 'the process', number: ++this.#letters, lines } as const;
    this.service.hearRegion(letter);
    return letter;
  }

  /** So many events, numbered from `from`. */
  emitMany(from: number, count: number): void {
    this.emit(...Array.from({ length: count }, (_, i): EventBody => ({ kind: 'rack.ready', milliseconds: from + i })));
  }

  /** The numbers of those that the region has. */
  get arrived(): number[] {
    return this.region.records.flatMap((record) =>
      record.kind === 'rack.ready' ? [Number(record['milliseconds'])] : [],
    );
  }

  bind(...facts: readonly LeaseFact[]): void {
    for (const fact of facts) this.leases.set(fact.address, fact);
    this.service.learn(facts, []);
  }

  end(address: number): void {
    this.leases.delete(address);
    this.service.learn([], [toIp4(address)]);
  }

  /** What the region knows of leases by what it was told: an address and a MAC each. */
  get regionLeases(): Record<string, string> {
    let known = new Map<string, string>();
    let anew: Map<string, string> | undefined;
    for (const { kind, address = '', mac = '' } of this.region.records) {
      if (kind === 'lease.all-begun') anew = new Map();
      else if (kind === 'lease.all-ended') [known, anew] = [anew ?? known, undefined];
      else if (kind === 'lease.bound') for (const map of [known, anew]) map?.set(address, mac);
      else if (kind === 'lease.ended') for (const map of [known, anew]) map?.delete(address);
    }
    return Object.fromEntries([...known].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** The same as the rack's process knows it. */
  get rackLeases(): Record<string, string> {
    const rows = Array.from(this.leases.values(), ({ address, mac }) => [formatIp4(address), formatted(mac)] as const);
    return Object.fromEntries(rows.toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }

  #create(): SyncService {
    const life = { isAlive: true };
    this.#life = life;
    const after = (milliseconds: number, fire: () => void): Timer =>
      this.time.after(milliseconds, () => life.isAlive && fire());
    const answered = async (asked: Promise<RawAnswer>): Promise<RawAnswer> => {
      try {
        return await asked;
      } finally {
        // Nobody is there to hear it
        if (!life.isAlive) await new Promise(() => undefined);
      }
    };
    return new SyncService(
      {
        clock: this.time,
        loop: { watch: () => this.time.watch(), after },
        events: { emit: (body) => life.isAlive && this.told.push(body) },
        region: { wish: (wish) => life.isAlive && this.#hear(wish) },
      },
      {
        random: () => 0.5,
        version: '0.1.0',
        connect: async () => {
          const transport = await this.region.connect();
          return { ...transport, ask: (question) => answered(transport.ask(question)) };
        },
        openOutbox: (state, bounds) => openOutbox(join(state, 'outbox.db'), this.time, bounds),
      },
    );
  }

  #hear(wish: RegionWish): void {
    this.wishes.push(wish);
    if (this.deaf.has(wish.kind)) return;
    // Letters take their time
    setImmediate(() => {
      if (wish.kind === 'leases') {
        const leases = toColumns([...this.leases.values()]);
        this.service.hearRegion({ kind: 'all-leases', id: wish.id, leases });
      } else if (wish.kind === 'facts') {
        const file = { ...FACTS.file, hash: '0'.repeat(64), ...(wish.withFile && { config: { subnets: [] } }) };
        this.service.hearRegion({ kind: 'facts', facts: { ...FACTS, file } });
      } else if (wish.kind === 'order')
        this.service.hearRegion({ kind: 'obeyed', order: wish.order, number: wish.number });
    });
  }
}

export function lease(address: number, mac = address): LeaseFact {
  return { address: toIp4(address), mac: mac as Mac, expires: 1_800_000_000 };
}

function formatted(mac: number): string {
  return (mac.toString(16).padStart(12, '0').match(/../g) ?? []).join(':');
}
