import { formatIp4, type Ip4 } from '../addr/ip4.ts';
import { formatMac } from '../addr/mac.ts';
import { normalizePath } from '../boot/normalize-path.ts';
import { createRoutes, type Resolution, type Routes } from '../boot/routes.ts';
import type { BootNews } from '../boots/boot-sign.ts';
import { BOOT_LOCAL, type Plan, type TftpSettings } from '../plan/plan.ts';
import { BootTable } from '../service/boot-table.ts';
import type { Counters, LeaseFact, SocketHandle } from '../service/letters.ts';
import type { Service, ServiceContext, Subject } from '../service/service.ts';
import { CaseFinder } from '../system/case-finder.ts';
import type { Inbound, Outbound, TrainSocket } from '../system/datagram.ts';
import { messageOf } from '../system/message-of.ts';
import { plainText } from '../wire/plain-text.ts';
import { decodeTftp, encodeError, LONGEST_CONTROL } from '../wire/tftp/packet.ts';
import { TFTP_ERROR, type TftpPacket, type TftpRequest } from '../wire/tftp/packet.ts';
import { WireError } from '../wire/wire-error.ts';
import { addressAsked } from './address-asked.ts';
import { openContent, type Content, type Shelf } from './content.ts';
import { negotiate } from './negotiate.ts';
import { from, peerKey, type Peer } from './peer.ts';
import { ReadSession, type SessionTools } from './read-session.ts';
import type { Refusal } from './refusal.ts';
import { SharedFiles } from './shared-files.ts';
import { TransferPorts, type TransferPort, type TransferSocket } from './transfer-ports.ts';
import { machineOf, LeaseTable } from '../service/lease-table.ts';
import { Tally } from '../service/tally.ts';
import type { Outcome } from './transfer.ts';

/** Where the service's sockets come from. */
export interface TftpWire {
  /** A listening socket of the rack's; the service does not close it. */
  openSocket(handle: SocketHandle): TrainSocket;
  /** A new socket on a port of its own at `localAddress`; throws when there is none to be had. */
  openTransferSocket(localAddress: Ip4): TransferSocket;
  /** Octets of the largest IP packet that gets to an address whole; undefined when it is not known. */
  mtuTowards(address: Ip4): number | undefined;
}

/** What the rack serves now. */
interface Served {
  readonly plan: Plan;
  readonly routes: Routes;
}

interface Listener {
  readonly handle: SocketHandle;
  readonly port: TransferPort;
  readonly watch: { close(): void };
}

/** What a session sends. */
interface Asked {
  /** As the client wrote it. */
  readonly asked: string;
  readonly bytes: number;
  readonly found: Resolution;
}

/** A request, whom it is from, and where the answer leaves from. */
interface Visit {
  readonly request: TftpRequest;
  readonly client: Peer;
  readonly rackAddress: Ip4;
  /** The one it was sent to. */
  readonly port: TransferPort;
}

/** Serves boot files by TFTP, reads only: RFC 1350 with the options of RFC 2347, 2348, 2349 and 7440. */
export class TftpService implements Service {
  readonly #context: ServiceContext;
  readonly #wire: TftpWire;
  readonly #tally = new Tally();
  readonly #tools: SessionTools;
  readonly #shelf: Shelf;
  readonly #ports: TransferPorts;
  /** By peerKey: a client has one transfer for each of its ports. */
  readonly #sessions = new Map<number, ReadSession>();
  readonly #perClient = new Map<Ip4, number>();
  readonly #leases: LeaseTable;
  readonly #boots = new BootTable();
  #listeners: readonly Listener[] = [];
  #served: Served | undefined;

  constructor(context: ServiceContext, wire: TftpWire) {
    this.#context = context;
    this.#leases = new LeaseTable(context.clock);
    this.#wire = wire;
    this.#shelf = { files: new SharedFiles(context.clock), finder: new CaseFinder() };
    this.#ports = new TransferPorts(
      context.loop,
      (localAddress) => wire.openTransferSocket(localAddress),
      (datagram, port) => this.#onTransferDatagram(datagram, port),
    );
    this.#tools = { loop: context.loop, clock: context.clock, tally: this.#tally };
  }

  /** Running transfers go on with what they opened. */
  apply(plan: Plan, sockets: readonly SocketHandle[]): void {
    this.#served = { plan, routes: createRoutes(plan, this.#boots) };
    const kept = this.#listeners.filter(({ handle }) => sockets.some((wanted) => isSameSocket(wanted, handle)));
    for (const listener of this.#listeners) if (!kept.includes(listener)) this.#leave(listener);
    const added = sockets.filter((wanted) => !kept.some(({ handle }) => isSameSocket(wanted, handle)));
    this.#listeners = [...kept, ...added.map((handle) => this.#listen(handle))];
  }

  learn(bound: readonly LeaseFact[], ended: readonly Ip4[]): void {
    this.#leases.learn(bound, ended);
  }

  learnBoots(news: BootNews): void {
    this.#boots.learn(news);
  }

  counters(): Counters {
    return { ...this.#tally.read(), active: this.#sessions.size };
  }

  close(): void {
    for (const { watch } of this.#listeners) watch.close();
    for (const session of this.#sessions.values()) session.close('the server stops');
    for (const { port } of this.#listeners) port.socket.flush();
    this.#listeners = [];
    this.#sessions.clear();
    this.#perClient.clear();
  }

  #listen(handle: SocketHandle): Listener {
    const socket = this.#wire.openSocket(handle);
    // Single-port: whoever meets port 69 again is told from its earlier self by nothing but its own port
    const port: TransferPort = { socket, knows: () => true, release: () => undefined };
    const watch = this.#context.loop.watch(handle.fd, () => {
      socket.receive((datagram) => this.#onDatagram(datagram, handle, port));
      socket.flush();
    });
    return { handle, port, watch };
  }

  /** The rack closes the socket soon: what leaves from it (single-port) ends with it. */
  #leave({ port, watch }: Listener): void {
    watch.close();
    for (const session of this.#sessions.values()) {
      if (session.port !== port) continue;
      session.close('this address of the server is gone');
      this.#forget(session);
    }
    port.socket.flush();
  }

  #onDatagram(datagram: Inbound, handle: SocketHandle, port: TransferPort): void {
    this.#tally.add('received');
    const packet = this.#decode(datagram);
    if (packet === undefined) return;
    const client = { address: datagram.source, port: datagram.sourcePort };
    const rackAddress = addressAsked(datagram, handle, this.#served?.plan.subnets ?? []);
    switch (packet.type) {
      case 'rrq':
        this.#onRead({ request: packet, client, rackAddress, port });
        break;
      case 'wrq': {
        const reason = 'this server takes no files: expected a read request';
        const refusal = { counter: 'write', code: TFTP_ERROR.accessViolation, reason };
        this.#refuse({ request: packet, client, rackAddress, port }, refusal);
        break;
      }
      case 'ack':
      case 'data':
      case 'error':
      case 'oack':
        this.#onStray(packet, client, port);
    }
  }

  /** Of a transfer from this very port, or of none; then silence ends it as well as an ERROR would. */
  #onStray(packet: TftpPacket, { address, port: clientPort }: Peer, port: TransferPort): void {
    const session = this.#sessions.get(peerKey(address, clientPort));
    if (session?.port === port) session.take(packet);
    else this.#tally.add('refused.stray');
  }

  #decode(datagram: Inbound): TftpPacket | undefined {
    try {
      // Port 0 can't be answered
      if (datagram.sourcePort !== 0) return decodeTftp(datagram.bytes);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
    }
    this.#tally.add('refused.bad-packet');
    return undefined;
  }

  #onTransferDatagram(datagram: Inbound, port: TransferPort): void {
    this.#tally.add('received');
    const packet = this.#decode(datagram);
    if (packet === undefined) return;
    const key = peerKey(datagram.source, datagram.sourcePort);
    const session = this.#sessions.get(key);
    if (session?.port === port) session.take(packet);
    else if (port.knows(key)) this.#tally.add('refused.late');
    else this.#onStranger(packet, datagram, port);
  }

  /** RFC 1350 §4: a packet from another source is answered with an ERROR and disturbs nothing. */
  #onStranger(packet: TftpPacket, { source, sourcePort }: Inbound, port: TransferPort): void {
    this.#tally.add('refused.wrong-tid');
    // §7: an ERROR is never answered, or two servers could talk for ever
    if (packet.type === 'error') return;
    sendError(port.socket, { address: source, port: sourcePort }, TFTP_ERROR.unknownTransferId, 'unknown transfer ID');
  }

  #onRead(visit: Visit): void {
    const running = this.#sessions.get(peerKey(visit.client.address, visit.client.port));
    if (running?.repeat(visit.request)) return;
    const refusal = this.#served ? this.#begin(visit, this.#served) : busy('nothing is served yet');
    if (refusal) this.#refuse(visit, refusal);
  }

  #begin(visit: Visit, { plan, routes }: Served): Refusal | undefined {
    const { request, client, rackAddress } = visit;
    const refusal = this.#admit(visit, plan.tftp);
    if (refusal) return refusal;
    const asker = { rackAddress, address: client.address, ...machineOf(this.#leases.holder(client.address)) };
    const found = routes.resolve(request.file, asker);
    const content = openContent(found, request.mode, this.#shelf);
    if ('reason' in content) return content;
    const port = plan.tftp.singlePort ? visit.port : this.#acquirePort(rackAddress, client);
    if ('reason' in port) {
      content.close();
      return port;
    }
    this.#startSession(visit, plan.tftp, found, content, port);
    return undefined;
  }

  #admit({ request, client }: Visit, { transfers, perClient }: TftpSettings): Refusal | undefined {
    if (request.mode !== 'octet' && request.mode !== 'netascii') {
      const reason = `expected mode octet or netascii, found "${request.mode}"`;
      return { counter: 'mode', code: TFTP_ERROR.illegalOperation, reason };
    }
    if (this.#sessions.size >= transfers) return busy(`${transfers} transfers are running`);
    const running = this.#perClient.get(client.address) ?? 0;
    return running >= perClient ? busy(`${perClient} transfers to this address are running`) : undefined;
  }

  #acquirePort(rackAddress: Ip4, { address, port }: Peer): TransferPort | Refusal {
    try {
      return this.#ports.acquire(rackAddress, peerKey(address, port));
    } catch (error) {
      return {
        counter: 'no-socket',
        code: TFTP_ERROR.notDefined,
        reason: `no port for a transfer: ${messageOf(error)}`,
      };
    }
  }

  #startSession(visit: Visit, settings: TftpSettings, found: Resolution, content: Content, port: TransferPort): void {
    const { request, client, rackAddress } = visit;
    const mtu = request.options.blksize === undefined ? undefined : this.#wire.mtuTowards(client.address);
    const agreement = negotiate(request, content.length, settings, mtu);
    const ended = (outcome: Outcome | undefined): void => {
      this.#forget(session);
      this.#report(outcome, session, { asked: request.file, bytes: content.length, found });
      if (outcome?.kind === 'sent') this.#sign(found, client.address, content.length);
    };
    const lasts = (): void => this.#tellUnderWay(session, request.file, content.length);
    const session = new ReadSession(this.#tools, {
      request,
      peer: client,
      rackAddress,
      port,
      content,
      agreement,
      lasts,
      ended,
    });
    this.#sessions.set(peerKey(client.address, client.port), session);
    this.#perClient.set(client.address, (this.#perClient.get(client.address) ?? 0) + 1);
    this.#tally.add('transfers');
    session.start();
  }

  #forget({ peer }: ReadSession): void {
    this.#sessions.delete(peerKey(peer.address, peer.port));
    const left = (this.#perClient.get(peer.address) ?? 0) - 1;
    if (left > 0) this.#perClient.set(peer.address, left);
    else this.#perClient.delete(peer.address);
  }

  /** Until it has arrived nothing else shows that a machine fetches a file. */
  #tellUnderWay({ peer, elapsed }: ReadSession, asked: string, bytes: number): void {
    this.#context.events.emit(
      { kind: 'tftp.under-way', file: nameOf(asked), bytes, milliseconds: elapsed },
      this.#subject(peer.address),
    );
  }

  #report(outcome: Outcome | undefined, session: ReadSession, { asked, bytes, found }: Asked): void {
    const { retransmitted, milliseconds, peer } = session;
    this.#tally.add('retransmitted', retransmitted);
    if (!outcome) return;
    const { events } = this.#context;
    const file = nameOf(asked);
    const subject = this.#subject(peer.address);
    this.#tally.add(outcome.kind);
    switch (outcome.kind) {
      case 'sent':
        events.emit({ kind: 'tftp.sent', file, bytes, milliseconds, retransmitted, ...bootsOf(found) }, subject);
        break;
      case 'size-probe':
        events.emit({ kind: 'tftp.size-probe', file, bytes, blockSize: session.blockSize }, subject);
        break;
      case 'failed':
        events.emit(
          { ...outcome, kind: 'tftp.failed', file, blockSize: session.blockSize, block: session.arrived },
          subject,
        );
        break;
    }
  }

  /** In netascii a kernel has another length, and arrives broken: such a file is not told as what it was. */
  #sign(found: Resolution, address: Ip4, size: number): void {
    const mac = this.#leases.holder(address)?.mac;
    const doer = { address, ...(mac !== undefined && { mac }) };
    const { signs } = this.#context;
    if (found.kind === 'text' && found.script) signs?.sign({ kind: 'script', ...found.script, ...doer });
    if (found.kind === 'file' && found.isOfEntry)
      signs?.sign({ kind: 'file', file: found.file, first: 0, last: size - 1, size, ...doer });
  }

  #refuse({ request, client, rackAddress, port }: Visit, { counter, code, reason }: Refusal): void {
    this.#tally.add(`refused.${counter}`);
    sendError(port.socket, from(rackAddress, client), code, reason);
    this.#context.events.emit(
      { kind: 'tftp.refused', file: nameOf(request.file), reason, code },
      this.#subject(client.address),
    );
  }

  #subject(address: Ip4): Subject {
    const mac = this.#leases.holder(address)?.mac;
    return { address: formatIp4(address), ...(mac !== undefined && { mac: formatMac(mac) }) };
  }
}

function bootsOf(found: Resolution): { boots?: string } {
  return found.kind === 'text' && found.script ? { boots: found.script.entry ?? BOOT_LOCAL } : {};
}

function busy(why: string): Refusal {
  return { counter: 'busy', code: TFTP_ERROR.notDefined, reason: `busy, ask again: ${why}` };
}

/** The file as the routes see it, so that TFTP and HTTP tell of it alike. */
function nameOf(asked: string): string {
  return plainText(normalizePath(asked) ?? asked);
}

function sendError(socket: TrainSocket, to: Outbound, code: number, message: string): void {
  const at = socket.room(LONGEST_CONTROL);
  const length = encodeError(socket.buffer.subarray(at, at + LONGEST_CONTROL), code, message);
  socket.send(length, length, to);
}

function isSameSocket(a: SocketHandle, b: SocketHandle): boolean {
  return a.fd === b.fd && a.address === b.address && a.port === b.port && a.interface === b.interface;
}
