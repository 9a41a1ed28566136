import { formatIp4, type Ip4 } from '../addr/ip4.ts';
import { formatMac } from '../addr/mac.ts';
import type { Plan } from '../plan/plan.ts';
import type { Counters, LeaseFact, SocketHandle, ZoneAnswer, ZoneOrder } from '../service/letters.ts';
import type { Service, ServiceContext } from '../service/service.ts';
import { answerThreads } from '../service/thread-name.ts';
import type { DatagramColumns, ThreadNote } from '../service/thread-note.ts';
import type { DatagramSocket } from '../system/datagram.ts';
import type { Timer } from '../system/loop.ts';
import type { StreamAcceptor } from '../system/stream.ts';
import type { ThreadName } from '../timeline/event.ts';
import { HEADER } from '../wire/dns/query.ts';
import { checkRdata } from '../wire/dns/rdata/rdata.ts';
import { WireError } from '../wire/wire-error.ts';
import type { OpenedZones } from '../zones/open-zone-store.ts';
import type { ZoneColumns } from '../zones/zone-columns.ts';
import { Authority } from './authority.ts';
import type { Forwarding } from './forward/forwarding.ts';
import { receivedIn, type Received } from './hand-over.ts';
import { OwnSocket } from './own-socket.ts';
import { RackSockets, type OpenSocket } from './rack-sockets.ts';
import { summarize } from './reply-summary.ts';
import { EDNS_UDP } from './reply-options.ts';
import { Responder } from './respond.ts';
import { respondSettings } from './respond-settings.ts';
import { ServedZones } from './served-zones.ts';
import { showZones } from './show-zones.ts';
import { runSlices } from './slices.ts';
import type { StreamClient } from './stream/stream-client.ts';
import { TcpServer } from './stream/tcp-server.ts';
import { Tally } from './tally.ts';
import { UdpClient, type ReturnPath } from './udp-client.ts';
import { ZoneFeed } from './zone-feed.ts';

/** What the DNS service opens and works on beside its context. */
export interface DnsOutside {
  /** Works on a UDP socket of the rack's. */
  readonly openSocket: (handle: SocketHandle) => DatagramSocket;
  /** Opens one of its own, for what it asks others. */
  readonly openOwnSocket: () => { readonly socket: DatagramSocket; readonly fd: number };
  readonly streams: StreamAcceptor;
  /** Opens the file that zones are kept in, of the state directory. */
  readonly openStore: (state: string) => OpenedZones;
  readonly secretOf: (day: number) => Uint8Array;
  /** Absent: names outside our zones are refused. */
  readonly forwarding?: Forwarding;
}

interface Serving {
  readonly zones: ServedZones;
  readonly authority: Authority;
  readonly responder: Responder;
  readonly tcp: TcpServer;
  readonly notify: OwnSocket;
  /** What the threads that answer beside this one have. */
  readonly feed: ZoneFeed;
}

/** Answers for the names of the rack's own zones and of those in the file; has others asked for its machines, and refuses them to all others. */
export class DnsService implements Service {
  readonly #context: ServiceContext;
  readonly #outside: DnsOutside;
  readonly #tally = new Tally();
  /** What is sent is copied, so one serves all. */
  readonly #reply = Buffer.alloc(EDNS_UDP);
  readonly #client = new UdpClient((reply, to) => this.#sendLate(reply, to));
  /** All that needs a Plan to begin with; there is none before the first. */
  #serving: Serving | undefined;
  /** Zones that came ahead of it. */
  #early: { readonly zones: readonly ZoneColumns[]; readonly gone: readonly string[] }[] = [];
  #logsQueries = false;
  readonly #sockets = new RackSockets((handle) => this.#open(handle));
  /** What late replies are queued in, which leave together: many may wait for one answer. */
  readonly #late = new Set<DatagramSocket>();
  #flushing: Timer | undefined;

  constructor(context: ServiceContext, outside: DnsOutside) {
    this.#context = context;
    this.#outside = outside;
  }

  apply(plan: Plan, sockets: readonly SocketHandle[]): void {
    this.#serving?.zones.readAgain(this.#serving.authority.apply(plan));
    const serving = this.#serving ?? this.#begin(plan);
    serving.zones.apply(plan);
    serving.feed.keep(answerThreads(plan.dns.threads));
    serving.responder.configure(respondSettings(plan));
    this.#applyForwarding(plan, serving.responder);
    this.#logsQueries = plan.dns.queryLog;
    this.#sockets.apply(sockets);
  }

  #applyForwarding(plan: Plan, responder: Responder): void {
    const { forwarding } = this.#outside;
    forwarding?.apply(plan);
    responder.forwarder = forwarding?.isOn ? forwarding : undefined;
  }

  #begin(plan: Plan): Serving {
    const { clock, loop, notes } = this.#context;
    const feed = new ZoneFeed({
      loop,
      clock,
      tell: (note, to) => notes?.tell(note, to),
      published: (origin) => authority.published(origin)?.zone,
    });
    const notify = new OwnSocket(loop, this.#outside.openOwnSocket, (datagram) => authority.heard(datagram));
    const authority: Authority = new Authority(
      {
        ...this.#context,
        openStore: () => this.#outside.openStore(plan.rack.state),
        zone: (origin) => zones.get(origin),
        readAgain: (origins) => zones.readAgain(origins),
        sendNotify: (bytes, to) => this.#tally.lost(notify.send(bytes, to)),
        checkData,
        follower: feed,
      },
      plan,
    );
    const zones: ServedZones = new ServedZones({ loop, clock, publisher: authority });
    const { secretOf } = this.#outside;
    const responder = new Responder({ clock, tally: this.#tally, secretOf }, respondSettings(plan), zones);
    responder.desk = authority.desk;
    const tcp = new TcpServer({
      loop,
      clock,
      streams: this.#outside.streams,
      desk: { handle: (message, client, into) => this.#answerStream(message, client, into, responder) },
    });
    this.#serving = { authority, zones, responder, tcp, notify, feed };
    for (const letter of this.#early.splice(0)) zones.learnZones(letter.zones, letter.gone);
    return this.#serving;
  }

  learn(bound: readonly LeaseFact[], ended: readonly Ip4[]): void {
    this.#serving?.zones.learn(bound, ended);
  }

  learnZones(zones: readonly ZoneColumns[], gone: readonly string[]): void {
    if (this.#serving) this.#serving.zones.learnZones(zones, gone);
    else this.#early.push({ zones, gone });
  }

  showZones(order: ZoneOrder, answer: (answer: ZoneAnswer) => void): void {
    const { zones, authority } = this.#serving ?? {};
    if (zones && authority) runSlices(this.#context, showZones(order, zones, authority), answer);
    else answer({ zones: [], fault: 'it has no Plan yet' });
  }

  hear(note: ThreadNote, from: ThreadName): void {
    switch (note.kind) {
      case 'joined':
        return this.#serving?.feed.join(from);
      case 'zone-wanted':
        return this.#serving?.feed.wanted(from, note.origin);
      case 'datagrams':
        return this.#takeOver(note.datagrams, from);
      case 'first-answer':
        return this.#tellFirst(note.reply, note.address);
      case 'zones':
      case 'zone-served':
      case 'zone':
      case 'zone-change':
      case 'zone-gone':
      case 'taken':
        // These are for the others
        return;
    }
  }

  counters(): Counters {
    const { authority, tcp } = this.#serving ?? {};
    const forwarding = this.#outside.forwarding?.counters();
    return { ...this.#tally.counters(), ...authority?.counters(), ...tcp?.counters(), ...forwarding };
  }

  close(): void {
    this.#outside.forwarding?.close();
    this.#flushing?.cancel();
    this.#flushing = undefined;
    this.#late.clear();
    this.#sockets.close();
    const { zones, tcp, authority, notify, feed } = this.#serving ?? {};
    feed?.close();
    tcp?.close();
    zones?.close();
    authority?.close();
    notify?.close();
  }

  #open(handle: SocketHandle): OpenSocket {
    if (!this.#serving) throw new Error('sockets come with a Plan');
    const { tcp, responder } = this.#serving;
    if (handle.transport === 'tcp') return { handle, watch: tcp.listen(handle.fd) };
    const socket = this.#outside.openSocket(handle);
    return { handle, socket, watch: this.#context.loop.watch(handle.fd, () => this.#serve(socket, responder)) };
  }

  #answerStream(message: Buffer, client: StreamClient, into: Buffer, responder: Responder): number {
    const length = responder.respond(message, client, into);
    if (length > 0) this.#tell(into.subarray(0, length), client.address);
    return length;
  }

  /** One batch: what is left is ready again at once, and letters get their turn in between. */
  #serve(socket: DatagramSocket, responder: Responder): void {
    socket.receive((datagram) => this.#handle(datagram, socket, responder));
    this.#tally.lost(socket.flush());
  }

  /** What came to another thread by a socket of the same address. */
  #takeOver(datagrams: DatagramColumns, from: ThreadName): void {
    const socket = this.#sockets.at(datagrams.address, datagrams.port);
    if (socket && this.#serving) {
      for (const datagram of receivedIn(datagrams)) this.#handle(datagram, socket, this.#serving.responder);
      this.#tally.lost(socket.flush());
    }
    this.#context.notes?.tell({ kind: 'taken', count: datagrams.lengths.length }, from);
  }

  #handle(datagram: Received, socket: DatagramSocket, responder: Responder): void {
    const { bytes, source, sourcePort } = datagram;
    // Nobody listens on port 0: a forged source
    if (sourcePort === 0) return this.#tally.dropped('port-zero');
    this.#client.take(datagram, socket);
    const length = responder.respond(bytes, this.#client, this.#reply);
    if (length === 0) return;
    const reply = this.#reply.subarray(0, length);
    socket.send(reply, { address: source, port: sourcePort });
    this.#tell(reply, source);
  }

  #sendLate(reply: Uint8Array, { socket, address, port }: ReturnPath): void {
    if (!this.#sockets.has(socket)) return;
    this.#tally.replied((reply[3] ?? 0) & 15);
    socket.send(reply, { address, port });
    this.#late.add(socket);
    this.#flushing ??= this.#context.loop.after(0, () => this.#flushLate());
    this.#tell(reply, address);
  }

  #flushLate(): void {
    this.#flushing = undefined;
    for (const socket of this.#late) {
      if (this.#sockets.has(socket)) this.#tally.lost(socket.flush());
    }
    this.#late.clear();
  }

  #tell(reply: Uint8Array, source: Ip4): void {
    // A reply that is a header alone had no question worth telling
    if (reply.length <= HEADER) return;
    this.#tellFirst(reply, source);
    if (this.#logsQueries)
      this.#context.events.emit({ kind: 'dns.query', ...summarize(reply) }, { address: formatIp4(source) });
  }

  #tellFirst(reply: Uint8Array, source: Ip4): void {
    const mac = this.#serving?.zones.firstQuestion(source);
    if (mac === undefined) return;
    const subject = { mac: formatMac(mac), address: formatIp4(source) };
    this.#context.events.emit({ kind: 'dns.first-question', ...summarize(reply) }, subject);
  }
}

/** Throws WireError for data that are not such of their type. */
function checkData(type: number, data: string): void {
  const bytes = Buffer.from(data, 'latin1');
  if (checkRdata(type, bytes, 0, bytes.length) !== data) throw new WireError('a compressed name where none may be');
}
