import { randomBytes } from 'node:crypto';

import { formatIp4, type Ip4 } from '../addr/ip4.ts';
import { formatMac } from '../addr/mac.ts';
import type { Plan } from '../plan/plan.ts';
import type { Counters, LeaseFact, SocketHandle } from '../service/letters.ts';
import type { EventSink, Service, ServiceContext } from '../service/service.ts';
import type { DatagramSocket, Inbound } from '../system/datagram.ts';
import type { Loop } from '../system/loop.ts';
import { HEADER } from '../wire/dns/query.ts';
import type { ZoneColumns } from '../zones/zone-columns.ts';
import { AddressSet } from './address-set.ts';
import { summarize } from './reply-summary.ts';
import { EDNS_UDP } from './reply-options.ts';
import { Responder, type RespondSettings } from './respond.ts';
import { Serials } from './serials.ts';
import { ServedZones } from './served-zones.ts';
import { Tally } from './tally.ts';
import { UdpClient, type ReturnPath } from './udp-client.ts';

const SECRET = 16;
const NOBODY = new AddressSet([]);

interface OpenSocket {
  readonly handle: SocketHandle;
  readonly socket: DatagramSocket;
  readonly watch: { close(): void };
}

/** Answers for the names of the rack's own zones and of those in the file, and refuses all others. */
export class DnsService implements Service {
  readonly #loop: Loop;
  readonly #events: EventSink;
  readonly #openSocket: (handle: SocketHandle) => DatagramSocket;
  readonly #zones: ServedZones;
  readonly #tally = new Tally();
  readonly #responder: Responder;
  /** What is sent is copied, so one serves all. */
  readonly #reply = Buffer.alloc(EDNS_UDP);
  readonly #client = new UdpClient((reply, to) => this.#sendLate(reply, to));
  #logsQueries = false;
  #sockets: readonly OpenSocket[] = [];

  constructor(context: ServiceContext, openSocket: (handle: SocketHandle) => DatagramSocket) {
    const { loop, clock, events } = context;
    this.#loop = loop;
    this.#events = events;
    this.#openSocket = openSocket;
    this.#zones = new ServedZones({ loop, clock, serials: new Serials(clock) });
    const settings = { nsid: '', recursion: NOBODY, unlimited: NOBODY };
    this.#responder = new Responder({ clock, tally: this.#tally, newSecret }, settings, this.#zones);
  }

  apply(plan: Plan, sockets: readonly SocketHandle[]): void {
    this.#zones.apply(plan);
    this.#responder.configure(settingsOf(plan));
    this.#logsQueries = plan.dns.queryLog;
    // The streams are not answered yet (issue 5)
    const datagram = sockets.filter(({ transport }) => transport === 'udp');
    const kept = this.#sockets.filter((open) => datagram.some((handle) => sameSocket(handle, open.handle)));
    for (const open of this.#sockets) if (!kept.includes(open)) closeSocket(open);
    const added = datagram.filter((handle) => !kept.some((open) => sameSocket(handle, open.handle)));
    this.#sockets = [...kept, ...added.map((handle) => this.#open(handle))];
  }

  learn(bound: readonly LeaseFact[], ended: readonly Ip4[]): void {
    this.#zones.learn(bound, ended);
  }

  learnZones(zones: readonly ZoneColumns[], gone: readonly string[]): void {
    this.#zones.learnZones(zones, gone);
  }

  counters(): Counters {
    return this.#tally.counters();
  }

  close(): void {
    for (const open of this.#sockets) closeSocket(open);
    this.#sockets = [];
    this.#zones.close();
  }

  #open(handle: SocketHandle): OpenSocket {
    const socket = this.#openSocket(handle);
    return { handle, socket, watch: this.#loop.watch(handle.fd, () => this.#serve(socket)) };
  }

  /** One batch: what is left is ready again at once, and letters get their turn in between. */
  #serve(socket: DatagramSocket): void {
    socket.receive((datagram) => this.#handle(datagram, socket));
    this.#tally.lost(socket.flush());
  }

  #handle(datagram: Inbound, socket: DatagramSocket): void {
    const { bytes, source, sourcePort, destination } = datagram;
    // Nobody listens on port 0: a forged source
    if (sourcePort === 0) return this.#tally.dropped('port-zero');
    this.#client.take(datagram, socket);
    const length = this.#responder.respond(bytes, this.#client, this.#reply);
    if (length === 0) return;
    const reply = this.#reply.subarray(0, length);
    socket.send(reply, { address: source, port: sourcePort, source: destination });
    this.#tell(reply, source);
  }

  /** What is told is told once, and what is sent for its own: nothing else is on its way in this socket now. */
  #sendLate(reply: Uint8Array, { socket, address, port, source }: ReturnPath): void {
    if (!this.#sockets.some((open) => open.socket === socket)) return;
    socket.send(reply, { address, port, source });
    this.#tally.lost(socket.flush());
    this.#tell(reply, address);
  }

  #tell(reply: Uint8Array, source: Ip4): void {
    // A reply that is a header alone had no question worth telling
    if (reply.length <= HEADER) return;
    const mac = this.#zones.firstQuestion(source);
    if (mac !== undefined) {
      const subject = { mac: formatMac(mac), address: formatIp4(source) };
      this.#events.emit({ kind: 'dns.first-question', ...summarize(reply) }, subject);
    }
    if (this.#logsQueries)
      this.#events.emit({ kind: 'dns.query', ...summarize(reply) }, { address: formatIp4(source) });
  }
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
  open.socket.close();
}
