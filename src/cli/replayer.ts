import { formatIp4, LIMITED_BROADCAST, UNSPECIFIED, type Ip4 } from '../addr/ip4.ts';
import { formatMac, readMac, type Mac } from '../addr/mac.ts';
import type { BootStates } from '../boot/boot-states.ts';
import { createRoutes, type Routes } from '../boot/routes.ts';
import { describeRehearsal } from '../dhcp/account.ts';
import { askedOf } from '../dhcp/asked.ts';
import { Rehearser, type KnownLeases } from '../dhcp/rehearse.ts';
import { CLIENT_PORT, SERVER_PORT } from '../dhcp/reply-address.ts';
import type { Plan } from '../plan/plan.ts';
import type { Clock } from '../system/clock.ts';
import { MessageType, messageTypeName } from '../wire/dhcp/message-type.ts';
import { OptionCode } from '../wire/dhcp/option-code.ts';
import { decodeDhcp, type DhcpPacket } from '../wire/dhcp/packet.ts';
import type { CapturedDatagram } from '../wire/pcap.ts';
import { decodeTftp, type TftpPacket } from '../wire/tftp/packet.ts';
import { WireError } from '../wire/wire-error.ts';
import { compareReplies, printable, type Difference } from './compare-replies.ts';
import { hear } from './hear.ts';
import { lookAtFile } from './look-at-file.ts';

/** A question of a capture, what we say to it, and what was said then. */
export interface Replayed {
  /** Which packet of the capture. */
  readonly number: number;
  /** A MAC, or an address for TFTP. */
  readonly who: string;
  readonly asked: string;
  readonly answer: string;
  /** Our reply, as hex. */
  readonly bytes?: string;
  readonly verdict: 'same' | 'different' | 'only here' | 'only there' | 'neither';
  readonly theirs?: { readonly number: number; readonly from: string; readonly answer: string };
  readonly differences: readonly Difference[];
}

export interface ReplayStage {
  readonly plan: Plan;
  readonly leases: KnownLeases;
  readonly boots: BootStates;
  readonly ownAddress?: Ip4 | undefined;
  readonly interface?: string | undefined;
  /** Unix milliseconds: when the capture begins, as far as the leases go. */
  readonly now: number;
}

const BOOT_SERVER_PORT = 4011;
const TFTP_PORT = 69;
/** Questions that wait for their answer further on in the capture. */
const MOST_PENDING = 1_024;
/** A relay, a proxy and two servers may all answer one question. */
const MOST_REPLIES = 4;
/** A client that asks the same again so soon did not wait for the answer. */
const REPEATED_WITHIN = 10_000;
const MOST_HOLDERS = 16_384;

interface Reply {
  readonly number: number;
  readonly from: string;
  readonly answer: string;
  readonly differences: readonly Difference[];
}

interface Pending extends Omit<Replayed, 'verdict' | 'theirs' | 'differences'> {
  readonly key: string;
  /** Milliseconds, by the capture. */
  readonly at: number;
  /** What an answer in the capture differs in. */
  readonly compare: (datagram: CapturedDatagram) => readonly Difference[];
  readonly replies: Reply[];
  readonly answers: boolean;
  isSettled: boolean;
}

/** The time of the capture, from the moment on that the replay began. */
class CaptureClock implements Clock {
  readonly #start: number;
  #first: number | undefined;
  #passed = 0;

  constructor(start: number) {
    this.#start = start;
  }

  /** A capture may be out of order, or have no times at all: time never goes back. */
  reach(at: number): void {
    this.#first ??= at;
    this.#passed = Math.max(this.#passed, at - this.#first);
  }

  now(): number {
    return this.#start + this.#passed;
  }

  monotonic(): number {
    return this.#passed;
  }
}

/** Takes a capture in, packet by packet, and tells each question with its answers, in order; in bounded memory. */
export class Replayer {
  readonly #stage: ReplayStage;
  readonly #tell: (replayed: Replayed) => void;
  readonly #clock: CaptureClock;
  readonly #rehearser: Rehearser;
  readonly #routes: Routes;
  readonly #queue: Pending[] = [];
  #cut = 0;
  /** Who had which address in the capture. */
  readonly #holders = new Map<Ip4, Mac>();

  constructor(stage: ReplayStage, tell: (replayed: Replayed) => void) {
    this.#stage = stage;
    this.#tell = tell;
    this.#clock = new CaptureClock(stage.now);
    this.#rehearser = new Rehearser(stage.plan, stage.leases, this.#clock);
    this.#routes = createRoutes(stage.plan, stage.boots);
    for (const { address, mac } of stage.leases.leases) this.#holders.set(address, mac);
  }

  /** Messages of DHCP and requests of TFTP that are not whole in the capture: what they ask can not be told. */
  get cut(): number {
    return this.#cut;
  }

  take(datagram: CapturedDatagram): void {
    this.#clock.reach(datagram.at);
    const { port, sourcePort, isCut } = datagram;
    const isDhcp = [SERVER_PORT, CLIENT_PORT, BOOT_SERVER_PORT].includes(port) || sourcePort === SERVER_PORT;
    if (isCut && (isDhcp || port === TFTP_PORT)) this.#cut++;
    else if (isDhcp) this.#takeDhcp(datagram);
    else if (port === TFTP_PORT) this.#takeRead(datagram);
    else this.#takeTftpReply(datagram);
  }

  /** Tells what is left. */
  end(): void {
    for (const pending of this.#queue) pending.isSettled = true;
    this.#tellSettled();
  }

  #takeDhcp(datagram: CapturedDatagram): void {
    const packet = attempt(() => decodeDhcp(datagram.bytes));
    if (!packet) return;
    if (packet.op === 2)
      this.#reply(keyOf(packet), datagram, describeReply(packet), (asked) => isAnswerTo(asked, packet));
    else if (datagram.port !== CLIENT_PORT) this.#ask(packet, datagram);
    if (packet.op === 2 && packet.yiaddr !== UNSPECIFIED) this.#remember(packet.yiaddr, readMac(packet.chaddr, 0));
  }

  #ask(packet: DhcpPacket, datagram: CapturedDatagram): void {
    const bytes = datagram.bytes.slice();
    const { interface: device, ownAddress, plan } = this.#stage;
    const heard = hear(plan, bytes, { interface: device, giaddr: packet.giaddr, ownAddress });
    const { source, sourcePort, destination, port, number, at } = datagram;
    const isBroadcast = packet.giaddr === UNSPECIFIED && destination === LIMITED_BROADCAST;
    const own = heard.handle.address === UNSPECIFIED ? (ownAddress ?? UNSPECIFIED) : heard.handle.address;
    const rehearsal = this.#rehearser.rehearse({
      handle: { ...heard.handle, port },
      datagram: { ...heard.datagram, source, sourcePort, destination: isBroadcast ? LIMITED_BROADCAST : own },
    });
    const sent = rehearsal.kind === 'heard' ? rehearsal.sent?.bytes : undefined;
    this.#wait({
      key: keyOf(packet),
      number,
      at,
      who: formatMac(readMac(packet.chaddr, 0)),
      asked: askedOf(packet) ?? 'its message',
      answer: describeRehearsal(rehearsal),
      ...(sent && { bytes: Buffer.from(sent).toString('hex') }),
      answers: sent !== undefined,
      compare: (reply) => (sent ? compareReplies(sent, reply.bytes) : []),
    });
  }

  #takeRead(datagram: CapturedDatagram): void {
    const packet = attempt(() => decodeTftp(datagram.bytes));
    if (packet?.type !== 'rrq') return;
    const { source, sourcePort, destination, number, at } = datagram;
    const mac = this.#holders.get(source);
    const asker = { rackAddress: destination, address: source, ...(mac !== undefined && { mac }) };
    const look = lookAtFile(this.#routes.resolve(packet.file, asker));
    const size = 'bytes' in look ? look.bytes : undefined;
    this.#wait({
      key: tftpKey(source, sourcePort),
      number,
      at,
      who: formatIp4(source),
      asked: `TFTP of ${printable(packet.file)}`,
      answer: 'reason' in look ? `ERROR: ${printable(look.reason)}` : `${look.kind} of ${look.bytes} bytes`,
      answers: true,
      compare: (reply) =>
        compareFiles(
          size,
          attempt(() => decodeTftp(reply.bytes)),
        ),
    });
  }

  #takeTftpReply(datagram: CapturedDatagram): void {
    const key = tftpKey(datagram.destination, datagram.port);
    if (!this.#queue.some((pending) => pending.key === key)) return;
    const packet = attempt(() => decodeTftp(datagram.bytes));
    if (packet) this.#reply(key, datagram, describeTftp(packet));
  }

  #wait(question: Omit<Pending, 'replies' | 'isSettled'>): void {
    // Whoever asks on has had its answer, or never will; whoever asks the same again waits for it still
    for (const earlier of this.#queue) {
      const isRepeated =
        earlier.asked === question.asked && earlier.replies.length === 0 && question.at - earlier.at < REPEATED_WITHIN;
      if (earlier.key === question.key && !isRepeated) earlier.isSettled = true;
    }
    this.#queue.push({ ...question, replies: [], isSettled: false });
    const [oldest] = this.#queue;
    if (oldest && this.#queue.length > MOST_PENDING) oldest.isSettled = true;
    this.#tellSettled();
  }

  #reply(key: string, datagram: CapturedDatagram, answer: string, fits: (asked: string) => boolean = () => true): void {
    const { number, source } = datagram;
    for (const pending of this.#queue) {
      if (pending.key !== key || !fits(pending.asked)) continue;
      if (pending.isSettled || pending.replies.length >= MOST_REPLIES) continue;
      pending.replies.push({ number, from: formatIp4(source), answer, differences: pending.compare(datagram) });
    }
  }

  #tellSettled(): void {
    while (this.#queue[0]?.isSettled) {
      const pending = this.#queue.shift();
      if (pending) this.#tell(verdictOn(pending));
    }
  }

  #remember(address: Ip4, mac: Mac): void {
    if (this.#holders.size >= MOST_HOLDERS) this.#holders.clear();
    this.#holders.set(address, mac);
  }
}

/** Of several answers in the capture the one that is likest ours counts. */
function verdictOn({
  key: _key,
  at: _at,
  compare: _compare,
  isSettled: _settled,
  replies,
  answers,
  ...question
}: Pending): Replayed {
  const [best] = replies.toSorted((a, b) => a.differences.length - b.differences.length);
  if (!best) return { ...question, verdict: answers ? 'only here' : 'neither', differences: [] };
  const { differences, ...theirs } = best;
  if (!answers) return { ...question, verdict: 'only there', theirs, differences: [] };
  return { ...question, verdict: differences.length === 0 ? 'same' : 'different', theirs, differences };
}

function compareFiles(ours: number | undefined, packet: TftpPacket | undefined): Difference[] {
  if (packet?.type === 'error')
    return ours === undefined ? [] : [{ what: 'answer', ours: 'the file', theirs: describeTftp(packet) }];
  if (ours === undefined) return [{ what: 'answer', ours: 'an error', theirs: 'the file' }];
  const size = packet?.type === 'oack' ? packet.options.tsize : undefined;
  return size === undefined || size === ours ? [] : [{ what: 'size', ours: String(ours), theirs: String(size) }];
}

/** A late OFFER may come when the client has taken another already. */
function isAnswerTo(asked: string, { options }: DhcpPacket): boolean {
  const type = options.get(OptionCode.messageType)?.[0];
  if (type === MessageType.offer) return asked === 'discover';
  return type !== MessageType.nak || asked === 'request';
}

function describeReply({ options, yiaddr }: DhcpPacket): string {
  const type = options.get(OptionCode.messageType)?.[0];
  const name = type === undefined ? 'BOOTP reply' : messageTypeName(type);
  return yiaddr === UNSPECIFIED ? name : `${name} of ${formatIp4(yiaddr)}`;
}

function describeTftp(packet: TftpPacket): string {
  return packet.type === 'error' ? `ERROR ${packet.code}: ${printable(packet.message)}` : packet.type.toUpperCase();
}

function keyOf({ xid, chaddr }: DhcpPacket): string {
  return `${xid} ${readMac(chaddr, 0)}`;
}

function tftpKey(address: Ip4, port: number): string {
  return `${address}:${port}`;
}

function attempt<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
