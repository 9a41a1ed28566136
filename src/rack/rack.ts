import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';

import type { Logger } from 'pino';

import type { Ip4 } from '../addr/ip4.ts';
import type { Mac } from '../addr/mac.ts';
import type { PlanAnswer } from '../contract/rack-words.ts';
import type { Plan, Subnet } from '../plan/plan.ts';
import { LeaseTable } from '../service/lease-table.ts';
import { fromColumns, toColumns } from '../service/lease-columns.ts';
import type { FromService, ImageAnswer, ImageOrder, LeaseFact, ToService } from '../service/letters.ts';
import { answerThreads, isAnswerThread, serviceOf, threadNumber } from '../service/thread-name.ts';
import type { RegionOrder } from '../service/region-letters.ts';
import type { ThreadNote } from '../service/thread-note.ts';
import type { WatchAnswer, WatchOrder } from '../service/watch-letters.ts';
import type { Clock } from '../system/clock.ts';
import type { Libc } from '../system/libc.ts';
import { lockDirectory } from '../system/lock-directory.ts';
import type { ServiceManager } from '../system/systemd-notify.ts';
import { messageOf } from '../system/message-of.ts';
import type { EventBounds, EventStore } from '../timeline/event-store.ts';
import { openEventStore } from '../timeline/open-event-store.ts';
import { EventShare } from '../timeline/event-share.ts';
import type { EventBody, ServiceName, ThreadName } from '../timeline/event.ts';
import { Timeline } from '../timeline/timeline.ts';
import { readKeptZone } from '../zones/read-kept-zone.ts';
import { readZoneFile } from '../zones/read-zone-file.ts';
import { BootKeeper } from './boot-keeper.ts';
import { CaptureDesk } from './capture-desk.ts';
import { CertificateWatch } from './certificate-watch.ts';
import { logEvent } from './event-log.ts';
import { ImageDesk } from './image-desk.ts';
import { Listeners, type PreparedListeners } from './listeners.ts';
import { faultsOfRestart } from './needs-restart.ts';
import { MachineDesk } from './machine-desk.ts';
import { Notices } from './notices.ts';
import { PlanSource, type AnswerAttempt, type PlanAttempt } from './plan-source.ts';
import { RegionDesk, type AnswerOutcome } from './region-desk.ts';
import { reportOf } from './region-report.ts';
import type { RegionStanding } from './region-standing.ts';
import { ServiceThread } from './service-thread.ts';
import { Vendors } from './vendors.ts';
import { ZoneKeeper } from './zone-keeper.ts';

const SERVICES: readonly ServiceName[] = ['dhcp', 'dns', 'dot', 'tftp', 'http', 'importer', 'watch', 'sync'];

const VENDORS = join(import.meta.dirname, '..', '..', 'etc', 'vendors.txt');
/** Left for the threads to end in out of the 2 s that a stop may take. */
const STOP_MILLISECONDS = 1_500;
const LAST_WORDS_MILLISECONDS = 300;
const FLUSH_EVERY = 250;
const PRUNE_EVERY = 600_000;
const WATCHDOG_EVERY = 5_000;
const INTERFACES_EVERY = 2_000;
const CERTIFICATE_EVERY = 2_000;
const ZONES_EVERY = 2_000;
/** What DNS waits for zone files at a start: those that take longer come later. */
const ZONES_MILLISECONDS = 500;
/** Octets of the key that DNS cookies are made with. */
const COOKIE_KEY = 32;
/** The services that a rack is restarted for when they can't be ended: the others may wait for a hung file server. */
const VITAL: ReadonlySet<ServiceName> = new Set(['dhcp', 'dns']);

export interface RackDependencies {
  readonly config: string;
  readonly libc: Libc;
  readonly clock: Clock;
  readonly log: Logger;
  readonly manager: ServiceManager;
  /** The file that runs a thread. */
  readonly entryOf: (thread: ThreadName) => URL;
}
type ServedAttempt = PlanAttempt & { readonly plan: Plan };
type AnswerWeighed = Pick<AnswerAttempt, 'objections' | 'conflicts'>;

interface RefusedAnswer {
  readonly answer: PlanAnswer;
  readonly faults: readonly string[];
}

/** The file has no Plan in it, so there is nothing to start with. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly faults: readonly string[];

  constructor(file: string, faults: readonly string[]) {
    super(`${file}: ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}`);
    this.faults = faults;
  }
}

/** One running rack: compiles the Plan, keeps the sockets, supervises the services, writes the timeline. */
export class Rack {
  readonly timeline: Timeline;
  readonly leases: LeaseTable;
  readonly notices = new Notices();
  readonly vendors = new Vendors(VENDORS);
  readonly boots: BootKeeper;
  readonly images = new ImageDesk();
  readonly machines: MachineDesk;
  readonly captures: CaptureDesk;
  readonly zones: ZoneKeeper;
  readonly region: RegionDesk;
  readonly startedAt: number;
  readonly #dependencies: RackDependencies;
  readonly #source: PlanSource;
  readonly #listeners: Listeners;
  #threads: readonly ServiceThread[];
  readonly #cookieKey = randomBytes(COOKIE_KEY);
  readonly #certificate = new CertificateWatch();
  readonly #timers: NodeJS.Timeout[] = [];
  /** What is in force. */
  #served: ServedAttempt;
  #attempt: PlanAttempt;
  /** The newest answer of the region, where it is not in force: it is tried again whenever something changes. */
  #refused: RefusedAnswer | undefined;
  #reloading: Promise<void> = Promise.resolve();
  /** Orders come to the importer in the order that they were given, also where it is only starting. */
  #importerStarts: Promise<void> = Promise.resolve();
  #stopping = false;
  /** Interfaces, their addresses and kernel numbers, when the Plan in force was compiled. */
  #interfaces: string;
  #timelineFails = false;

  /** Resolves when every service serves. Throws ConfigError or ListenError, leaving nothing open. */
  static async start(dependencies: RackDependencies): Promise<Rack> {
    const began = dependencies.clock.monotonic();
    const source = new PlanSource(dependencies.config);
    const now = dependencies.clock.now();
    const attempt = source.compile(now);
    const served = attempt.plan ? attempt : source.compileStandIn(now);
    const plan = served?.plan;
    if (!plan) throw new ConfigError(dependencies.config, attempt.faults);
    claimState(dependencies, plan.rack.state);
    const listeners = new Listeners(dependencies.libc);
    listeners.prepare(plan).commit();
    const rack = new Rack(dependencies, source, attempt, { ...served, plan }, listeners);
    await rack.#startThreads();
    rack.emit({ kind: 'rack.ready', milliseconds: Math.round(dependencies.clock.monotonic() - began) });
    dependencies.manager.notify('READY=1');
    return rack;
  }

  private constructor(
    dependencies: RackDependencies,
    source: PlanSource,
    attempt: PlanAttempt,
    served: ServedAttempt,
    listeners: Listeners,
  ) {
    const { plan } = served;
    this.#dependencies = dependencies;
    this.#source = source;
    this.#attempt = attempt.plan ? served : attempt;
    this.#served = served;
    this.#listeners = listeners;
    this.startedAt = dependencies.clock.now();
    this.leases = new LeaseTable(dependencies.clock);
    dependencies.log.level = plan.log.level;
    const share = new EventShare(dependencies.clock, (mac) => this.machines.isKnown(mac));
    this.timeline = new Timeline(openTimeline(plan, dependencies), share);
    this.region = this.#openRegion();
    this.region.follow(plan.region !== undefined);
    this.captures = new CaptureDesk({
      tell: (letter) => this.#tell(letter),
      facts: () => this.leases.facts(),
      after: (milliseconds, fire) => {
        const timer = setTimeout(fire, milliseconds);
        return () => clearTimeout(timer);
      },
    });
    this.machines = this.#openMachines(dependencies, plan);
    this.boots = new BootKeeper(
      {
        clock: dependencies.clock,
        tell: (letter) => this.#tell(letter),
        emit: (body, mac) => this.emit(body, mac),
      },
      plan,
    );
    this.zones = new ZoneKeeper({
      clock: dependencies.clock,
      tell: (letter) => this.#thread('dns')?.send(letter),
      emit: (body) => this.emit(body),
      readFile: readZoneFile,
      readKept: (origin) => readKeptZone(join(plan.rack.state, 'zones.db'), origin),
      complain: (error, what) => dependencies.log.error({ err: error }, what),
    });
    this.#threads = threadsOf(plan).map((name) => this.#createThread(name));
    this.#timers.push(setInterval(() => this.#flushTimeline(), FLUSH_EVERY));
    this.#timers.push(setInterval(() => this.region.flush(), FLUSH_EVERY));
    this.#timers.push(setInterval(() => this.#pruneTimeline(), PRUNE_EVERY));
    this.#timers.push(setInterval(() => this.boots.tick(), FLUSH_EVERY));
    this.#timers.push(setInterval(() => this.#feedWatchdog(), WATCHDOG_EVERY));
    this.#interfaces = this.#listeners.describeInterfaces(source.localAddresses());
    this.#timers.push(setInterval(() => this.#checkInterfaces(), INTERFACES_EVERY));
    this.#certificate.settle(plan.http.tls);
    this.#timers.push(setInterval(() => this.#checkCertificate(), CERTIFICATE_EVERY));
    this.#timers.push(setInterval(() => this.zones.look(), ZONES_EVERY));
    this.#tellLost(attempt);
    if (attempt.plan) this.#emitApplied();
    else this.#refuse(attempt, attempt.faults);
    if (attempt.answer && !served.answer) this.#refuseAnswer(attempt.answer, attempt.faults);
  }

  get plan(): Plan {
    return this.#served.plan;
  }

  /** How it stands with the region; undefined where none is followed. */
  get standing(): RegionStanding | undefined {
    const { plan, answer, conflicts } = this.#served;
    if (!plan.region) return undefined;
    const refused = this.#refused && { version: this.#refused.answer.version, faults: this.#refused.faults };
    return { ...(answer && { version: answer.version }), conflicts, ...(refused && { refused }) };
  }

  /** The newest compilation: its faults, and whether it was refused. */
  get attempt(): PlanAttempt {
    return this.#attempt;
  }

  /** Those that the Plan needs, or one before it needed. */
  get threads(): readonly ServiceThread[] {
    return this.#threads.filter(({ name, state }) => state !== 'stopped' || isNeeded(serviceOf(name), this.plan));
  }

  /** Compiles the file again and switches to it, or keeps the Plan and says why. One at a time; never rejects. */
  reload(): Promise<void> {
    this.#reloading = this.#reloading
      .then(() => (this.#stopping ? undefined : this.#reload()))
      .catch((error: unknown) => this.#dependencies.log.error({ err: error }, 'the file was not taken up'));
    return this.#reloading;
  }

  /**
   * Takes up what the region says, or keeps what is in force and gives the faults. An answer that was taken outlives the
   * process. Never rejects.
   */
  takeAnswer(answer: PlanAnswer): Promise<AnswerOutcome> {
    const outcome = this.#reloading.then(() => this.#takeAnswer(answer));
    this.#reloading = outcome.then(
      () => undefined,
      (error: unknown) => this.#dependencies.log.error({ err: error }, "the region's plan was not taken up"),
    );
    return outcome.catch((error: unknown) => ({ version: answer.version, faults: [messageOf(error)], conflicts: [] }));
  }

  /** Does what an operator wants of the images; a rack that imports none has no importer until then. */
  async manageImages(order: ImageOrder): Promise<ImageAnswer> {
    const importer = this.#thread('importer');
    if (!importer || this.#stopping) return { isDone: false, lines: ['the rack stops'] };
    if (importer.state === 'stopped') this.#importerStarts = importer.start();
    await this.#importerStarts;
    return importer.manage(order);
  }

  /** Shows who is on the wires, or looks for them. */
  watch(order: WatchOrder): Promise<WatchAnswer> {
    const nobody = { neighbours: [], conflicts: [], servers: [], fault: 'this rack watches no wire' };
    return this.#thread('watch')?.orderWatch(order) ?? Promise.resolve(nobody);
  }

  emit(body: EventBody, mac?: string): void {
    const at = this.#dependencies.clock.now();
    this.#record([{ ...body, at, source: 'rack', ...(mac !== undefined && { mac }) }]);
  }

  /** For a process that dies: lets its threads end, or it would wait for them. */
  abandon(): void {
    for (const thread of this.#threads) thread.send({ type: 'stop' });
  }

  async stop(reason: string): Promise<void> {
    this.#stopping = true;
    this.captures.stop();
    this.emit({ kind: 'rack.stopping', reason });
    this.#dependencies.manager.notify('STOPPING=1');
    await Promise.race([this.#reloading, sleep(STOP_MILLISECONDS, undefined, { ref: false })]);
    const others = this.#threads.filter(({ name }) => name !== 'sync');
    await Promise.all(others.map((thread) => thread.stop(STOP_MILLISECONDS)));
    // With the last words of the others, and its own
    this.region.flush();
    await this.#thread('sync')?.stop(LAST_WORDS_MILLISECONDS);
    this.#listeners.close();
    for (const timer of this.#timers) clearInterval(timer);
    this.boots.close();
    await this.zones.close();
    try {
      this.timeline.close();
    } catch (error) {
      this.#dependencies.log.error({ err: error }, 'the end of the timeline is not written to disk');
    }
  }

  /** Machines need not wait for zone files: only DNS does, and not for long. Nobody waits for who talks to the region. */
  async #startThreads(): Promise<void> {
    const others = this.threads.filter(({ name }) => name !== 'dns' && name !== 'sync').map((thread) => thread.start());
    if (this.plan.region) void this.#thread('sync')?.start();
    await Promise.race([this.zones.apply(this.plan), sleep(ZONES_MILLISECONDS, undefined, { ref: false })]);
    await Promise.all([...others, this.#thread('dns')?.start()]);
  }

  /** Before anything of this start can happen, so that what was before comes first. */
  #openMachines({ clock, log }: RackDependencies, plan: Plan): MachineDesk {
    const boots = { rows: () => this.boots.rows() };
    const vendorOf = (mac: Mac): string | undefined => this.vendors.of(mac);
    const machines = new MachineDesk({ clock, leases: this.leases, boots, vendorOf, later: setImmediate }, plan);
    const complain = (error: unknown): void => log.error({ err: error }, 'what happened before is not read');
    void machines.restore(this.timeline, complain);
    return machines;
  }

  #openRegion(): RegionDesk {
    return new RegionDesk({
      send: (news) => this.#thread('sync')?.send({ type: 'region', news }),
      facts: (withFile) => reportOf(this, this.#source.localAddresses(), withFile),
      leases: () => this.leases.all(),
      takeAnswer: (answer) => this.takeAnswer(answer),
      obey: (order) => this.#obey(order),
    });
  }

  #obey(order: RegionOrder): void {
    if (order === 'import') void this.manageImages({ kind: 'import', isDryRun: false });
    else if (order === 'scan') void this.watch({ kind: 'scan' });
    // One that does not run has no import to stop
    else if (this.#thread('importer')?.state !== 'stopped') void this.manageImages({ kind: 'stop' });
  }

  #thread(name: ThreadName): ServiceThread | undefined {
    return this.#threads.find((thread) => thread.name === name);
  }

  async #reload(): Promise<void> {
    this.#certificate.settle(this.plan.http.tls);
    this.#interfaces = this.#listeners.describeInterfaces(this.#source.localAddresses());
    // What speaks against it may be gone: a file was mended, an interface is there
    if (this.#refused && (await this.#tryAgain(this.#refused.answer))) return;
    const attempt = this.#source.compile(this.#dependencies.clock.now(), this.plan);
    this.#tellLost(attempt);
    const prepared = this.#prepare(attempt);
    if (attempt.plan && prepared.listeners) await this.#switchTo(attempt, attempt.plan, prepared.listeners);
    else this.#refuse(attempt, prepared.faults);
  }

  async #takeAnswer(answer: PlanAnswer): Promise<AnswerOutcome> {
    const { version } = answer;
    if (this.#stopping) return { version, faults: ['the rack stops'], conflicts: [] };
    const { objections: faults, conflicts } = this.#isInForce(answer)
      ? this.#renew(answer)
      : await this.#tryAnswer(answer);
    if (faults.length > 0) this.#refuseAnswer(answer, faults);
    return { version, faults, conflicts };
  }

  /** Orders come with an answer that says nothing else. */
  #isInForce({ config }: PlanAnswer): boolean {
    return this.#attempt === this.#served && isDeepStrictEqual(this.#served.answer?.config, config);
  }

  #renew(answer: PlanAnswer): AnswerWeighed {
    const { conflicts, answer: before } = this.#served;
    // The same is heard again with each connection
    const isNew = before?.version !== answer.version;
    if (isNew) this.#attempt = this.#served = { ...this.#served, answer };
    // Also one that a full disk did not take before
    this.#keep();
    if (isNew) this.#settleAnswer(answer);
    else this.#refused = undefined;
    return { objections: [], conflicts };
  }

  /** Switches to a Plan with this answer where nothing speaks against it; else changes nothing. */
  async #tryAnswer(answer: PlanAnswer): Promise<AnswerWeighed> {
    const attempt = this.#source.weigh(this.#dependencies.clock.now(), this.plan, answer);
    const { plan, objections, conflicts } = attempt;
    if (!plan || objections.length > 0) return { objections, conflicts };
    const prepared = this.#prepare(attempt);
    if (!prepared.listeners) return { objections: prepared.faults, conflicts };
    await this.#switchTo(attempt, plan, prepared.listeners);
    return { objections, conflicts };
  }

  async #tryAgain(answer: PlanAnswer): Promise<boolean> {
    const { objections: faults } = await this.#tryAnswer(answer);
    if (faults.length > 0) this.#refused = { answer, faults };
    return faults.length === 0;
  }

  #refuseAnswer(answer: PlanAnswer, faults: readonly string[]): void {
    const { version } = answer;
    // A region that is connected to again says it again
    const isTold = isDeepStrictEqual(this.standing?.refused, { version, faults });
    this.#refused = { answer, faults };
    if (!isTold) this.emit({ kind: 'region.plan-refused', version, faults });
  }

  /** It is in force. */
  #settleAnswer({ version }: PlanAnswer): void {
    this.#refused = undefined;
    this.emit({ kind: 'region.plan-taken', version, conflicts: this.#served.conflicts });
  }

  #tellLost({ lost: reason }: PlanAttempt): void {
    if (reason !== undefined) this.emit({ kind: 'region.plan-lost', reason });
  }

  #prepare(attempt: PlanAttempt): { listeners?: PreparedListeners; faults: readonly string[] } {
    if (!attempt.plan) return { faults: attempt.faults };
    const fixed = faultsOfRestart(this.plan, attempt.plan);
    if (fixed.length > 0) return { faults: fixed };
    try {
      return { listeners: this.#listeners.prepare(attempt.plan), faults: [] };
    } catch (error) {
      return { faults: [messageOf(error)] };
    }
  }

  async #switchTo(attempt: PlanAttempt, plan: Plan, listeners: PreparedListeners): Promise<void> {
    await this.zones.apply(plan);
    const closeGone = listeners.commit();
    const before = this.#served.answer;
    this.#served = { ...attempt, plan };
    this.#certificate.settle(plan.http.tls);
    this.#attempt = this.#served;
    this.#dependencies.log.level = plan.log.level;
    this.timeline.bound(boundsOf(plan));
    this.boots.apply(plan);
    this.machines.apply(plan);
    this.region.follow(plan.region !== undefined);
    const isEnded = this.#countThreads();
    await Promise.all([...this.threads.map((thread) => this.#applyTo(thread)), isEnded]);
    closeGone();
    this.zones.forget(plan);
    this.#emitApplied();
    if (attempt.answer && attempt.answer !== before) this.#settleAnswer(attempt.answer);
    else if (!plan.region) this.#refused = undefined;
  }

  /** As many threads as the Plan in force says; resolves when those that are too many have ended. */
  async #countThreads(): Promise<void> {
    const before = this.#threads;
    this.#threads = threadsOf(this.plan).map((name) => this.#thread(name) ?? this.#createThread(name));
    const gone = before.filter((thread) => !this.#threads.includes(thread));
    await Promise.all(gone.map((thread) => thread.stop(STOP_MILLISECONDS)));
  }

  #applyTo(thread: ServiceThread): Promise<void> {
    return thread.state === 'stopped' ? thread.start() : thread.apply(this.#planLetter(thread.name));
  }

  #refuse(attempt: PlanAttempt, faults: readonly string[]): void {
    const { plan: _refused, ...rest } = attempt;
    this.#attempt = { ...rest, faults };
    this.emit({ kind: 'plan.refused', faults });
  }

  #emitApplied(): void {
    const { subnets, hosts } = this.plan;
    const faults = this.#attempt.faults;
    this.emit({ kind: 'plan.applied', subnets: subnets.length, hosts: hosts.length, faults: faults.length });
    for (const fault of faults) this.#dependencies.log.error(fault);
    this.#keep();
  }

  #keep(): void {
    try {
      this.#source.keep(this.#served);
    } catch (error) {
      this.#dependencies.log.error({ err: error }, 'the plan is in force but not kept for a start with a broken file');
    }
  }

  #createThread(name: ThreadName): ServiceThread {
    return new ServiceThread({
      name,
      cookieKey: this.#cookieKey,
      entry: this.#dependencies.entryOf(name),
      libc: this.#dependencies.libc,
      opening: () => [
        // Ahead of the Plan: no script is to leave before it is known who has had what
        ...(knowsBoots(name) ? [this.boots.letter()] : []),
        ...(name === 'dns' ? [this.zones.letter()] : []),
        this.#planLetter(name),
        ...(name === 'importer' || name === 'sync' ? [] : [this.#leasesLetter(), ...this.captures.letters()]),
      ],
      onLetter: (letter) => this.#receive(name, letter),
      onServing: () => {
        this.emit({ kind: 'service.ready', service: name });
        this.#introduce(name);
        if (name === 'dhcp') this.region.leasesKnown();
        if (name === 'sync') this.region.heard(true);
      },
      onFailed: (reason, retryMilliseconds) => {
        if (name === 'importer') this.images.learn(undefined);
        if (name === 'sync') this.region.heard(false);
        this.emit({ kind: 'service.failed', service: name, reason, retryMilliseconds });
      },
    });
  }

  #tell(letter: ToService): void {
    for (const thread of this.#threads) if (knowsBoots(thread.name)) thread.send(letter);
  }

  /** The thread that has the zones is told of those that answer beside it, once both serve. */
  #introduce(name: ThreadName): void {
    const dns = this.#thread('dns');
    if (dns?.state !== 'serving') return;
    const others = this.#threads.filter((thread) => isAnswerThread(thread.name) && thread.state === 'serving');
    for (const { name: from } of others) {
      if (name === 'dns' || name === from) dns.send({ type: 'note', note: { kind: 'joined' }, from });
    }
  }

  /** From a thread of a service to others of it. */
  #passOn(from: ThreadName, note: ThreadNote, to: ThreadName | undefined): void {
    const isMeant = ({ name }: ServiceThread): boolean =>
      to === undefined ? isAnswerThread(name) !== isAnswerThread(from) && serviceOf(name) === 'dns' : name === to;
    for (const thread of this.#threads) if (isMeant(thread)) thread.send({ type: 'note', note, from });
  }

  #leasesLetter(): ToService {
    return { type: 'leases', bound: toColumns(this.leases.facts()), ended: [] };
  }

  #planLetter(name: ThreadName): ToService {
    const sockets = this.#listeners.handles(serviceOf(name), threadNumber(name));
    return { type: 'plan', plan: this.plan, sockets };
  }

  #receive(name: ThreadName, letter: FromService): void {
    switch (letter.type) {
      case 'events':
        this.#record(letter.events.map((event) => this.leases.nameMachine(event)));
        break;
      case 'leases':
        this.#learnLeases(fromColumns(letter.bound), letter.ended);
        for (const thread of this.#threads) {
          if (thread.name !== name && thread.name !== 'importer')
            thread.send({ type: 'leases', bound: letter.bound, ended: letter.ended });
        }
        break;
      case 'signs':
        this.boots.learn(letter.signs);
        break;
      case 'images':
        void this.reload();
        break;
      case 'captured':
        this.captures.take(letter.records);
        break;
      case 'sightings':
        this.#thread('dhcp')?.send(letter);
        break;
      case 'progress':
        this.images.learn(letter.progress);
        break;
      case 'note':
        this.#passOn(name, letter.note, letter.to);
        break;
      case 'region':
        this.region.hear(letter.wish);
        break;
      case 'ready':
      case 'answer':
      case 'image-answer':
      case 'zone-answer':
      case 'watch-answer':
      case 'pong':
        break;
    }
  }

  #learnLeases(bound: readonly LeaseFact[], ended: readonly Ip4[]): void {
    this.leases.learn(bound, ended);
    this.captures.leasesChanged(bound);
  }

  #record(events: Parameters<Timeline['append']>[0]): void {
    // Ahead of the timeline, which keeps more of a machine that is known
    for (const event of events) this.machines.learn(event);
    this.timeline.append(events);
    this.region.learn(events);
    for (const event of events) {
      logEvent(this.#dependencies.log, event);
      this.notices.learn(event);
    }
  }

  /** Told once when it begins to fail and once when it goes on: four times a second would fill the disk that is full. */
  #flushTimeline(): void {
    try {
      this.timeline.flush();
      if (this.#timelineFails) this.#dependencies.log.info('the timeline is written to disk again');
      this.#timelineFails = false;
    } catch (error) {
      if (!this.#timelineFails) this.#dependencies.log.error({ err: error }, 'the timeline is not written to disk');
      this.#timelineFails = true;
    }
  }

  /** What is too old goes although nothing happens. */
  #pruneTimeline(): void {
    try {
      this.timeline.prune();
    } catch (error) {
      this.#dependencies.log.error({ err: error }, 'the timeline could not be cut to its bounds');
    }
  }

  /** An interface that came, went, was made anew or got another address needs other sockets. */
  #checkInterfaces(): void {
    const now = this.#listeners.describeInterfaces(this.#source.localAddresses());
    if (now !== this.#interfaces) void this.reload();
  }

  /** The service reads the files with each Plan it is sent: also where the file, as it is now, has none. */
  #checkCertificate(): void {
    if (!this.#certificate.hasChanged(this.plan.http.tls)) return;
    void this.reload().then(() => {
      const http = this.#thread('http');
      return this.#attempt.plan || this.#stopping ? undefined : http?.apply(this.#planLetter('http'));
    });
  }

  /** Silence means a wedged thread that could not be ended: then the service manager starts the whole rack again. */
  #feedWatchdog(): void {
    if (this.#threads.every((thread) => thread.alive || !VITAL.has(serviceOf(thread.name))))
      this.#dependencies.manager.notify('WATCHDOG=1');
  }
}

/** All there may be, in the order in which an operator sees them. */
function threadsOf({ dns }: Plan): ThreadName[] {
  return SERVICES.flatMap((name): ThreadName[] => (name === 'dns' ? [name, ...answerThreads(dns.threads)] : [name]));
}

/** Who may decide what a machine boots, or tell it. */
function knowsBoots(name: ThreadName): boolean {
  return name !== 'importer' && name !== 'sync' && !isAnswerThread(name);
}

/** A thread takes memory: few racks ask their upstreams over TLS, and one without sources imports nothing by itself. */
function isNeeded(service: ServiceName, { dns, images, region, subnets, watch }: Plan): boolean {
  if (service === 'sync') return region !== undefined;
  if (service === 'watch') return watch !== undefined && subnets.some(isOnWire);
  if (service === 'importer') return (images?.sources.length ?? 0) > 0 || images?.bootResources !== undefined;
  if (service !== 'dot') return true;
  return [dns.forward, ...dns.routes.map(({ forward }) => forward)].flat().some(({ tls }) => tls !== undefined);
}

/** Whether it is a network of ours on a wire here. */
function isOnWire({ management, interface: device }: Subnet): boolean {
  return management !== 'none' && device !== undefined;
}

/** Two racks on one state would give one address twice. A state that can't be locked is its services' to complain of. */
function claimState({ libc, log }: RackDependencies, directory: string): void {
  let isOurs = true;
  try {
    isOurs = lockDirectory(libc, directory);
  } catch (error) {
    log.error({ err: error }, `${directory} can't be locked`);
  }
  if (!isOurs) throw new Error(`another rackboot works in ${directory}: stop it, or give this one another rack.state`);
}

function openTimeline(plan: Plan, { log, clock }: RackDependencies): EventStore {
  const { store, fault } = openEventStore(join(plan.rack.state, 'timeline.db'), clock, boundsOf(plan));
  if (fault !== undefined) log.error(fault);
  return store;
}

function boundsOf({ timeline: { ageSeconds, bytes } }: Plan): EventBounds {
  return { milliseconds: ageSeconds * 1000, bytes };
}
