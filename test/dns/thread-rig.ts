import assert from 'node:assert/strict';

import { AnswerService } from '../../src/dns/answer-service.ts';
import { cookieSecrets } from '../../src/dns/cookie-secrets.ts';
import { DnsService } from '../../src/dns/dns-service.ts';
import type { Forwarding } from '../../src/dns/forward/forwarding.ts';
import type { Plan } from '../../src/plan/plan.ts';
import type { LeaseFact } from '../../src/service/letters.ts';
import type { Service, ServiceContext, Subject } from '../../src/service/service.ts';
import { answerThreads } from '../../src/service/thread-name.ts';
import type { ThreadNote } from '../../src/service/thread-note.ts';
import type { EventBody, ThreadName } from '../../src/timeline/event.ts';
import type { Loop } from '../../src/system/loop.ts';
import { openZoneStore } from '../../src/zones/open-zone-store.ts';
import type { ZoneColumns } from '../../src/zones/zone-columns.ts';
import { HandTime } from '../dhcp/hand-time.ts';
import { describeReply, question } from './ask.ts';
import { MemorySocket, udpHandle } from './memory-wire.ts';
import { ip4 } from './plan-of.ts';
import { MemoryAcceptor } from './stream/memory-streams.ts';

export const RACK = '192.0.2.1';
const KEY = new Uint8Array(32).fill(9);

interface RunningThread {
  readonly service: Service;
  /** By address of the rack. */
  readonly sockets: Map<string, MemorySocket>;
  readonly fds: Map<string, number>;
}

interface Note {
  readonly from: ThreadName;
  readonly to: ThreadName;
  readonly note: ThreadNote;
}

interface ThreadsWishes {
  readonly time?: HandTime;
  readonly forwarding?: Forwarding;
  /** Long work goes in many turns: its clock runs ahead, and what is to come at once comes in the next one. */
  readonly isSlow?: boolean;
}

/** All threads of a DNS service without the rack: notes lie until `settle` brings them, copied as between threads. */
export class DnsThreads {
  readonly time: HandTime;
  readonly told: { readonly from: ThreadName; readonly body: EventBody; readonly subject?: Subject }[] = [];
  /** All notes that were delivered. */
  readonly notes: Note[] = [];
  /** Notes for which this is true get lost. */
  loses: (note: ThreadNote, to: ThreadName) => boolean = () => false;
  readonly #wishes: ThreadsWishes;
  readonly #running = new Map<ThreadName, RunningThread>();
  readonly #mail: Note[] = [];
  readonly #leases = new Map<number, LeaseFact>();
  readonly #contents = new Map<string, ZoneColumns>();
  #plan: Plan;
  #lastFd = 100;
  #ahead = 0;

  /** Begins with all threads of the Plan, which know of one another. */
  constructor(plan: Plan, wishes: ThreadsWishes = {}) {
    this.#wishes = wishes;
    this.time = wishes.time ?? new HandTime();
    this.#plan = plan;
    for (const name of ['dns', ...answerThreads(plan.dns.threads)] as const) this.start(name);
    this.settle();
  }

  get names(): ThreadName[] {
    return [...this.#running.keys()];
  }

  /** Begins a thread anew, as the rack does. */
  start(name: ThreadName): void {
    this.startAlone(name);
    this.introduce(name);
  }

  /** Its Plan, its leases, the zones that were read. */
  startAlone(name: ThreadName): void {
    const sockets = new Map<string, MemorySocket>();
    const fds = new Map<string, number>();
    const service = name === 'dns' ? this.#createFirst(sockets) : this.#createOther(name, sockets);
    this.#running.set(name, { service, sockets, fds });
    if (name === 'dns') service.learnZones?.([...this.#contents.values()], []);
    this.#apply(name);
    service.learn?.([...this.#leases.values()], []);
  }

  /** It serves: `dns` is told of it, or of all others. */
  introduce(name: ThreadName): void {
    const others = answerThreads(16).filter((other) => this.#running.has(other));
    for (const from of others) {
      if (name === 'dns' || (name === from && this.#running.has('dns'))) this.#post(from, 'dns', { kind: 'joined' });
    }
  }

  /** What it had is gone, and what was on its way to it. */
  crash(name: ThreadName): void {
    const { service } = this.#get(name);
    this.#running.delete(name);
    // As a thread gives back what it opened
    service.close();
    for (let i = this.#mail.length - 1; i >= 0; i--) {
      if (this.#mail[i]?.to === name || this.#mail[i]?.from === name) this.#mail.splice(i, 1);
    }
  }

  apply(plan: Plan): void {
    this.#plan = plan;
    const wanted: readonly ThreadName[] = ['dns', ...answerThreads(plan.dns.threads)];
    for (const name of this.names) {
      if (wanted.includes(name)) this.#apply(name);
      else {
        this.#get(name).service.close();
        this.#running.delete(name);
      }
    }
    for (const name of wanted) if (!this.#running.has(name)) this.start(name);
  }

  learn(bound: readonly LeaseFact[], ended: readonly string[] = []): void {
    for (const address of ended) this.#leases.delete(ip4(address));
    for (const fact of bound) this.#leases.set(fact.address, fact);
    for (const { service } of this.#running.values()) service.learn?.(bound, ended.map(ip4));
  }

  learnZones(zones: readonly ZoneColumns[], gone: readonly string[] = []): void {
    for (const zone of zones) this.#contents.set(zone.origin, zone);
    this.#running.get('dns')?.service.learnZones?.(zones, gone);
  }

  /** Time passes, notes are brought, until nothing is under way. */
  settle(): void {
    for (let i = 0; i < 400; i++) this.turn();
  }

  /** A millisecond, and the notes that are there. */
  turn(): void {
    for (const letter of this.#mail.splice(0)) this.#deliver(letter);
    this.time.pass(1, 'milliseconds');
  }

  socket(name: ThreadName, address = RACK): MemorySocket {
    return this.#get(name).sockets.get(address) ?? assert.fail(`${name} has no socket of ${address}`);
  }

  /** Brings a message to one thread's socket. */
  arrive(name: ThreadName, message: Uint8Array, from = '203.0.113.9', port = 40_000): void {
    this.socket(name).arrive(message, { source: ip4(from), port, to: ip4(RACK) });
  }

  ready(name: ThreadName, address = RACK): void {
    this.time.ready(this.#get(name).fds.get(address) ?? -1);
  }

  /** The reply of one thread itself, at once; undefined when it has none. */
  askBytes(name: ThreadName, message: Uint8Array, from?: string): Buffer | undefined {
    const { sent } = this.socket(name);
    const had = sent.length;
    this.arrive(name, message, from);
    this.ready(name);
    return sent[had]?.bytes;
  }

  /** The same in lines, of "node1.rack.example A". */
  ask(name: ThreadName, line: string, from?: string): string[] {
    const reply = this.askBytes(name, question(line), from);
    return reply ? describeReply(reply) : ['nothing'];
  }

  counters(name: ThreadName): Readonly<Record<string, number>> {
    return this.#get(name).service.counters();
  }

  close(): void {
    for (const name of this.names) this.crash(name);
  }

  #get(name: ThreadName): RunningThread {
    return this.#running.get(name) ?? assert.fail(`${name} does not run`);
  }

  #apply(name: ThreadName): void {
    const { service, fds } = this.#get(name);
    const addresses = this.#plan.subnets.flatMap(({ rackAddress }) => rackAddress ?? []);
    const texts = addresses.map((address) => [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.'));
    for (const text of texts) if (!fds.has(text)) fds.set(text, ++this.#lastFd);
    service.apply(
      this.#plan,
      texts.map((text) => udpHandle(fds.get(text) ?? -1, text)),
    );
  }

  #context(from: ThreadName): ServiceContext & Required<Pick<ServiceContext, 'notes'>> {
    const clock = {
      now: () => this.time.now(),
      monotonic: () => this.time.monotonic() + (this.#wishes.isSlow ? (this.#ahead += 2) : 0),
    };
    const { time } = this;
    const soonest = this.#wishes.isSlow ? 1 : 0;
    const loop: Loop = {
      watch: (fd, handle) => time.watch(fd, handle),
      after: (milliseconds, fire) => time.after(Math.max(soonest, milliseconds), fire),
    };
    return {
      loop,
      clock,
      events: { emit: (body, subject) => void this.told.push({ from, body, ...(subject && { subject }) }) },
      notes: { tell: (note, to) => this.#send(from, note, to) },
    };
  }

  #createFirst(sockets: Map<string, MemorySocket>): Service {
    const { forwarding } = this.#wishes;
    return new DnsService(this.#context('dns'), {
      openSocket: (handle) => openSocket(sockets, handle.address),
      openOwnSocket: () => assert.fail('nobody is to be told'),
      streams: new MemoryAcceptor(),
      openStore: () => openZoneStore(':memory:', this.time.now()),
      secretOf: cookieSecrets(KEY),
      ...(forwarding && { forwarding }),
    });
  }

  #createOther(name: ThreadName, sockets: Map<string, MemorySocket>): Service {
    return new AnswerService(this.#context(name), {
      openSocket: (handle) => openSocket(sockets, handle.address),
      secretOf: cookieSecrets(KEY),
    });
  }

  #send(from: ThreadName, note: ThreadNote, to: ThreadName | undefined): void {
    const others = from === 'dns' ? answerThreads(this.#plan.dns.threads) : (['dns'] as const);
    for (const name of to === undefined ? others : [to]) this.#post(from, name, note);
  }

  #post(from: ThreadName, to: ThreadName, note: ThreadNote): void {
    this.#mail.push({ from, to, note: structuredClone(note) });
  }

  #deliver(letter: Note): void {
    const { from, to, note } = letter;
    const thread = this.#running.get(to);
    if (!thread || this.loses(note, to)) return;
    this.notes.push(letter);
    thread.service.hear?.(note, from);
  }
}

function openSocket(sockets: Map<string, MemorySocket>, address: number): MemorySocket {
  const socket = new MemorySocket();
  sockets.set([24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.'), socket);
  return socket;
}
