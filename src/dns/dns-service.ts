import { formatIp4, type Ip4 } from '../addr/ip4.ts';
import { formatMac } from '../addr/mac.ts';
import type { Plan } from '../plan/plan.ts';
import type { Counters, LeaseFact, SocketHandle } from '../service/letters.ts';
import type { EventSink, Service, ServiceContext } from '../service/service.ts';
import type { DatagramSocket, Inbound } from '../system/datagram.ts';
import type { Loop } from '../system/loop.ts';
import { HEADER } from '../wire/dns/query.ts';
import { replyLimit } from './answer.ts';
import type { Forwarding } from './forward/forwarding.ts';
import { RackNames } from './rack-names.ts';
import { summarize } from './reply-summary.ts';
import { respond } from './respond.ts';
import { Serials } from './serials.ts';
import { Tally } from './tally.ts';

/** Room for the largest reply by UDP; what is sent is copied, so one serves all. */
const REPLY_ROOM = 1232;

interface OpenSocket {
  readonly handle: SocketHandle;
  readonly socket: DatagramSocket;
  readonly watch: { close(): void };
}

/** Answers for the names of the rack's own zones by UDP, and refuses all others. */
export class DnsService implements Service {
  readonly #loop: Loop;
  readonly #events: EventSink;
  readonly #openSocket: (handle: SocketHandle) => DatagramSocket;
  readonly #names: RackNames;
  readonly #tally = new Tally();
  readonly #reply = Buffer.alloc(REPLY_ROOM);
  readonly #forwarding: Forwarding | undefined;
  #sockets: readonly OpenSocket[] = [];

  constructor(context: ServiceContext, openSocket: (handle: SocketHandle) => DatagramSocket, forwarding?: Forwarding) {
    this.#forwarding = forwarding;
    this.#loop = context.loop;
    this.#events = context.events;
    this.#openSocket = openSocket;
    this.#names = new RackNames(new Serials(context.clock));
  }

  apply(plan: Plan, sockets: readonly SocketHandle[]): void {
    this.#names.apply(plan);
    this.#forwarding?.apply(plan);
    // The streams are not answered yet (issue 5)
    const datagram = sockets.filter(({ transport }) => transport === 'udp');
    const kept = this.#sockets.filter((open) => datagram.some((handle) => sameSocket(handle, open.handle)));
    for (const open of this.#sockets) if (!kept.includes(open)) closeSocket(open);
    const added = datagram.filter((handle) => !kept.some((open) => sameSocket(handle, open.handle)));
    this.#sockets = [...kept, ...added.map((handle) => this.#open(handle))];
  }

  learn(bound: readonly LeaseFact[], ended: readonly Ip4[]): void {
    this.#names.learn(bound, ended);
  }

  counters(): Counters {
    return { ...this.#tally.counters(), ...this.#forwarding?.counters() };
  }

  close(): void {
    this.#forwarding?.close();
    for (const open of this.#sockets) closeSocket(open);
    this.#sockets = [];
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
    const length = respond(bytes, this.#names.zones, this.#reply, this.#tally, (query) =>
      this.#forwarding?.ask(query, datagram, this.#reply, replyLimit(query, this.#reply), () => (reply) => {
        socket.send(reply, { address: source, port: sourcePort, source: destination });
        this.#tally.lost(socket.flush());
      }),
    );
    if (length === 0) return;
    const reply = this.#reply.subarray(0, length);
    socket.send(reply, { address: source, port: sourcePort, source: destination });
    // A reply that is a header alone had no question worth telling
    const mac = length > HEADER ? this.#names.firstQuestion(source) : undefined;
    if (mac === undefined) return;
    const subject = { mac: formatMac(mac), address: formatIp4(source) };
    this.#events.emit({ kind: 'dns.first-question', ...summarize(reply) }, subject);
  }
}

/** A descriptor's number may come back for another socket. */
function sameSocket(a: SocketHandle, b: SocketHandle): boolean {
  return a.fd === b.fd && a.address === b.address && a.port === b.port && a.ifindex === b.ifindex;
}

function closeSocket(open: OpenSocket): void {
  open.watch.close();
  open.socket.close();
}
