import { randomBytes } from 'node:crypto';

import { formatIp4, type Ip4 } from '../addr/ip4.ts';
import { formatMac } from '../addr/mac.ts';
import type { Plan } from '../plan/plan.ts';
import type { Counters, LeaseFact, SocketHandle, ZoneAnswer, ZoneOrder } from '../service/letters.ts';
import type { Service, ServiceContext } from '../service/service.ts';
import type { DatagramSocket, Inbound } from '../system/datagram.ts';
import type { Timer } from '../system/loop.ts';
import type { StreamAcceptor } from '../system/stream.ts';
import { HEADER } from '../wire/dns/query.ts';
import { checkRdata } from '../wire/dns/rdata/rdata.ts';
import { WireError } from '../wire/wire-error.ts';
import type { OpenedZones } from '../zones/open-zone-store.ts';
import type { ZoneColumns } from '../zones/zone-columns.ts';
import { AddressSet } from './address-set.ts';
import { Authority } from './authority.ts';
import type { Forwarding } from './forward/forwarding.ts';
import { OwnSocket } from './own-socket.ts';
import { summarize } from './reply-summary.ts';
import { EDNS_UDP } from './reply-options.ts';
import { Responder, type RespondSettings } from './respond.ts';
import { ServedZones } from './served-zones.ts';
import { showZones } from './show-zones.ts';
import { runSlices } from './slices.ts';
import type { StreamClient } from './stream/stream-client.ts';
import { TcpServer } from './stream/tcp-server.ts';
import { Tally } from './tally.ts';
import { UdpClient, type ReturnPath } from './udp-client.ts';

const SECRET = 16;

/** What the DNS service opens and works on beside its context. */
export interface DnsOutside {
  /** Works on a UDP socket of the rack's. */
  readonly openSocket: (handle: SocketHandle) => DatagramSocket;
  /** Opens one of its own, for what it asks others. */
  readonly openOwnSocket: () => { readonly socket: DatagramSocket; readonly fd: number };
  readonly streams: StreamAcceptor;
  /** Opens the file that zones are kept in, of the state directory. */
  readonly openStore: (state: string) => OpenedZones;
  /** Absent: names outside our zones are refused. */
  readonly forwarding?: Forwarding;
}

interface Serving {
  readonly zones: ServedZones;
  readonly authority: Authority;
  readonly responder: Responder;
  readonly tcp: TcpServer;
  readonly notify: OwnSocket;
}

/** A socket of the rack's that is served. */
interface OpenSocket {
  readonly handle: SocketHandle;
  /** Absent for one that listens for streams. */
  readonly socket?: DatagramSocket;
  readonly watch: { close(): void };
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
  #sockets: readonly OpenSocket[] = [];
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
    serving.responder.configure(settingsOf(plan));
    this.#applyForwarding(plan, serving.responder);
    this.#logsQueries = plan.dns.queryLog;
    const kept = this.#sockets.filter((open) => sockets.some((handle) => sameSocket(handle, open.handle)));
    for (const open of this.#sockets) if (!kept.includes(open)) closeSocket(open);
    const added = sockets.filter((handle) => !kept.some((open) => sameSocket(handle, open.handle)));
    this.#sockets = [...kept, ...added.map((handle) => this.#open(handle, serving))];
  }

  #applyForwarding(plan: Plan, responder: Responder): void {
    const { forwarding } = this.#outside;
    forwarding?.apply(plan);
    responder.forwarder = forwarding?.isOn ? forwarding : undefined;
  }

  #begin(plan: Plan): Serving {
    const { clock, loop } = this.#context;
    const notify = new OwnSocket(loop, this.#outside.openOwnSocket, (datagram) => authority.heard(datagram));
    const authority: Authority = new Authority(
      {
        ...this.#context,
        openStore: () => this.#outside.openStore(plan.rack.state),
        zone: (origin) => zones.get(origin),
        readAgain: (origins) => zones.readAgain(origins),
        sendNotify: (bytes, to) => this.#tally.lost(notify.send(bytes, to)),
        checkData,
      },
      plan,
    );
    const zones: ServedZones = new ServedZones({ loop, clock, publisher: authority });
    const responder = new Responder({ clock, tally: this.#tally, newSecret }, settingsOf(plan), zones);
    responder.desk = authority.desk;
    const tcp = new TcpServer({
      loop,
      clock,
      streams: this.#outside.streams,
      desk: { handle: (message, client, into) => this.#answerStream(message, client, into, responder) },
    });
    this.#serving = { authority, zones, responder, tcp, notify };
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
    for (const open of this.#sockets) closeSocket(open);
    this.#sockets = [];
    const { zones, tcp, authority, notify } = this.#serving ?? {};
    tcp?.close();
    zones?.close();
    authority?.close();
    notify?.close();
  }

  #open(handle: SocketHandle, { tcp, responder }: Serving): OpenSocket {
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

  #handle(datagram: Inbound, socket: DatagramSocket, responder: Responder): void {
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
    if (!this.#sockets.some((open) => open.socket === socket)) return;
    this.#tally.replied((reply[3] ?? 0) & 15);
    socket.send(reply, { address, port });
    this.#late.add(socket);
    this.#flushing ??= this.#context.loop.after(0, () => this.#flushLate());
    this.#tell(reply, address);
  }

  #flushLate(): void {
    this.#flushing = undefined;
    for (const socket of this.#late) {
      if (this.#sockets.some((open) => open.socket === socket)) this.#tally.lost(socket.flush());
    }
    this.#late.clear();
  }

  #tell(reply: Uint8Array, source: Ip4): void {
    // A reply that is a header alone had no question worth telling
    if (reply.length <= HEADER) return;
    const mac = this.#serving?.zones.firstQuestion(source);
    if (mac !== undefined) {
      const subject = { mac: formatMac(mac), address: formatIp4(source) };
      this.#context.events.emit({ kind: 'dns.first-question', ...summarize(reply) }, subject);
    }
    if (this.#logsQueries)
      this.#context.events.emit({ kind: 'dns.query', ...summarize(reply) }, { address: formatIp4(source) });
  }
}

/** Throws WireError for data that are not such of their type. */
function checkData(type: number, data: string): void {
  const bytes = Buffer.from(data, 'latin1');
  if (checkRdata(type, bytes, 0, bytes.length) !== data) throw new WireError('a compressed name where none may be');
}

function newSecret(): Uint8Array {
  return randomBytes(SECRET);
}

function settingsOf({ subnets, dns }: Plan): RespondSettings {
  const own = subnets.map(({ cidr }) => cidr);
  return {
    nsid: dns.nsid,
    recursion: new AddressSet([...own, ...dns.allow]),
    unlimited: new AddressSet(own),
    ...(dns.rateLimit && { rateLimit: dns.rateLimit }),
  };
}

/** A descriptor's number may come back for another socket. */
function sameSocket(a: SocketHandle, b: SocketHandle): boolean {
  return a.fd === b.fd && a.address === b.address && a.port === b.port && a.ifindex === b.ifindex;
}

function closeSocket(open: OpenSocket): void {
  open.watch.close();
  open.socket?.close();
}
