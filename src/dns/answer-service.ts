import { formatIp4, UNSPECIFIED, type Ip4 } from '../addr/ip4.ts';
import type { Plan } from '../plan/plan.ts';
import type { Counters, LeaseFact, SocketHandle } from '../service/letters.ts';
import type { NoteSink, Service, ServiceContext } from '../service/service.ts';
import type { ThreadNote } from '../service/thread-note.ts';
import type { DatagramSocket, Inbound } from '../system/datagram.ts';
import { nameKey } from '../wire/dns/name.ts';
import { HEADER } from '../wire/dns/query.ts';
import type { DnsClient } from './dns-client.ts';
import { FedZones } from './fed-zones.ts';
import { HandOver, type Received } from './hand-over.ts';
import { RackSockets, type OpenSocket } from './rack-sockets.ts';
import { EDNS_UDP } from './reply-options.ts';
import { summarize } from './reply-summary.ts';
import { Responder, type MessageDesk } from './respond.ts';
import { respondSettings } from './respond-settings.ts';
import { SilentLeases } from './silent-leases.ts';
import { Tally } from './tally.ts';

/** What a socket holds, and some: more than that came after the end. */
const MOST_LAST_BATCHES = 64;

/** What a thread that answers opens and works with beside its context. */
export interface AnswerOutside {
  /** Works on a UDP socket of the rack's. */
  readonly openSocket: (handle: SocketHandle) => DatagramSocket;
  readonly secretOf: (day: number) => Uint8Array;
}

/**
 * Answers by UDP beside the thread `dns`, from what that published. What takes more than zones to answer it hands over as it
 * came; `dns` answers by a socket of the same address and port.
 */
export class AnswerService implements Service {
  readonly #context: ServiceContext & { readonly notes: NoteSink };
  readonly #outside: AnswerOutside;
  readonly #tally = new Tally();
  readonly #reply = Buffer.alloc(EDNS_UDP);
  readonly #zones: FedZones;
  readonly #silent = new SilentLeases();
  readonly #sockets = new RackSockets((handle) => this.#open(handle));
  #handles: readonly SocketHandle[] = [];
  /** Before it is known which zones there are nothing is read: what comes waits in the sockets. */
  #isFed = false;
  readonly #handOver: HandOver;
  /** There is none before the first Plan. */
  #responder: Responder | undefined;
  #logsQueries = false;
  #inHand: Received = { bytes: Buffer.alloc(0), source: UNSPECIFIED, sourcePort: 0 };
  readonly #client: DnsClient & { address: Ip4; port: number } = {
    address: UNSPECIFIED,
    port: 0,
    later: () => () => {
      throw new Error('what is answered later was handed over');
    },
  };

  constructor(context: ServiceContext & { readonly notes: NoteSink }, outside: AnswerOutside) {
    this.#context = context;
    this.#outside = outside;
    const { loop, clock, notes } = context;
    this.#zones = new FedZones({ loop, clock, want: (origin) => notes.tell({ kind: 'zone-wanted', origin }) });
    this.#handOver = new HandOver((datagrams) => notes.tell({ kind: 'datagrams', datagrams }));
  }

  apply(plan: Plan, sockets: readonly SocketHandle[]): void {
    this.#responder ??= this.#begin(plan);
    this.#responder.configure(respondSettings(plan));
    const isForwarding = plan.dns.forward.length > 0 || plan.dns.routes.length > 0;
    this.#responder.forwarder = isForwarding ? { ask: () => this.#passOn() } : undefined;
    this.#logsQueries = plan.dns.queryLog;
    this.#zones.expect(plan.dns.zones.map(({ name }) => nameKey(name)));
    this.#handles = sockets;
    if (this.#isFed) this.#sockets.apply(sockets);
  }

  learn(bound: readonly LeaseFact[], ended: readonly Ip4[]): void {
    this.#silent.learn(bound, ended);
  }

  hear(note: ThreadNote): void {
    switch (note.kind) {
      case 'zones':
        this.#handOver.beginAnew();
        this.#zones.learn(note);
        return this.#beginServing();
      case 'zone-served':
      case 'zone':
      case 'zone-change':
      case 'zone-gone':
        return this.#zones.learn(note);
      case 'taken':
        return this.#handOver.taken(note.count);
      case 'joined':
      case 'zone-wanted':
      case 'datagrams':
      case 'first-answer':
        // These are for `dns`
        return;
    }
  }

  counters(): Counters {
    return { ...this.#tally.counters(), ...this.#handOver.counters() };
  }

  /** What waits in the sockets is answered: whoever asks from now on comes to other threads. */
  close(): void {
    for (const { socket, handle } of this.#sockets.all) if (socket) this.#serveLast(socket, handle);
    this.#sockets.close();
    this.#zones.close();
  }

  #begin(plan: Plan): Responder {
    const { clock } = this.#context;
    const { secretOf } = this.#outside;
    const responder = new Responder({ clock, tally: this.#tally, secretOf }, respondSettings(plan), this.#zones);
    const passOn = (): number => this.#passOn();
    const desk: Required<MessageDesk> = {
      transfer: passOn,
      notify: passOn,
      update: passOn,
      signed: passOn,
      awaited: passOn,
    };
    responder.desk = desk;
    return responder;
  }

  #beginServing(): void {
    if (this.#isFed) return;
    this.#isFed = true;
    this.#sockets.apply(this.#handles);
  }

  /** The reply comes later, from another thread. */
  #passOn(): number {
    this.#handOver.add(this.#inHand);
    return 0;
  }

  #open(handle: SocketHandle): OpenSocket {
    const socket = this.#outside.openSocket(handle);
    const watch = this.#context.loop.watch(handle.fd, () => void this.#serve(socket, handle));
    return { handle, socket, watch };
  }

  /** One batch; returns how many there were. */
  #serve(socket: DatagramSocket, handle: SocketHandle): number {
    const count = socket.receive((datagram) => this.#handle(datagram, socket));
    this.#handOver.flush(handle);
    this.#tally.lost(socket.flush());
    return count;
  }

  #serveLast(socket: DatagramSocket, handle: SocketHandle): void {
    for (let left = MOST_LAST_BATCHES; left > 0; left--) if (this.#serve(socket, handle) === 0) return;
  }

  #handle(datagram: Inbound, socket: DatagramSocket): void {
    const { bytes, source, sourcePort } = datagram;
    // Nobody listens on port 0: a forged source
    if (sourcePort === 0) return this.#tally.dropped('port-zero');
    this.#inHand = datagram;
    this.#client.address = source;
    this.#client.port = sourcePort;
    const length = this.#responder?.respond(bytes, this.#client, this.#reply) ?? 0;
    if (length === 0) return;
    const reply = this.#reply.subarray(0, length);
    socket.send(reply, { address: source, port: sourcePort });
    if (length > HEADER) this.#tell(reply, source);
  }

  /** Which of the threads a machine asked first is for `dns` to know. */
  #tell(reply: Uint8Array, source: Ip4): void {
    const { notes, events } = this.#context;
    if (this.#silent.isFirstAnswer(source)) {
      notes.tell({ kind: 'first-answer', address: source, reply: Uint8Array.from(reply) });
    }
    if (this.#logsQueries) events.emit({ kind: 'dns.query', ...summarize(reply) }, { address: formatIp4(source) });
  }
}
