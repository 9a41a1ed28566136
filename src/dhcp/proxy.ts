import { cidrContains } from '../addr/cidr.ts';
import { formatIp4, UNSPECIFIED, type Ip4 } from '../addr/ip4.ts';
import { formatMac } from '../addr/mac.ts';
import { isNetbootClient } from '../boot/firmware.ts';
import type { Plan } from '../plan/plan.ts';
import type { Tally } from '../service/tally.ts';
import type { Clock } from '../system/clock.ts';
import { MessageType } from '../wire/dhcp/message-type.ts';
import type { Asked } from './asked.ts';
import type { Exchange } from './exchange.ts';
import type { Heard } from './intake.ts';
import type { LeaseNews } from './lease-news.ts';
import { bootFileOf, bootOfferFor, type Outcome } from './outcome.ts';
import { proxyReply, type ProxyGrant } from './proxy-reply.ts';
import { CLIENT_PORT } from './reply-address.ts';
import { wantedAddress } from './request.ts';
import { MachinesElsewhere } from './machines-elsewhere.ts';

const BOOT_SERVER_PORT = 4011;

export interface ProxyDependencies {
  readonly tally: Tally;
  readonly events: LeaseNews;
  readonly clock: Clock;
}

/** Whether a message is the proxy's to answer: what comes to port 4011 never is about an address. */
export function isProxied({ served }: Exchange, port: number): boolean {
  return served.subnet.management === 'proxy' || port === BOOT_SERVER_PORT;
}

/**
 * Proxy DHCP (PXE 2.1 §2.2): tells machines that netboot what to boot, beside the server that gives them an address. It
 * gives none, refuses none and keeps none. A relay that sends its clients' broadcasts here as well as to that server is
 * answered like any other: the offer goes back through it, and the client then asks at 4011 by the routers.
 */
export class Proxy {
  readonly #tally: Tally;
  readonly #events: LeaseNews;
  readonly #clock: Clock;
  readonly #elsewhere: MachinesElsewhere;

  constructor({ tally, events, clock }: ProxyDependencies) {
    this.#tally = tally;
    this.#events = events;
    this.#clock = clock;
    this.#elsewhere = new MachinesElsewhere(events);
  }

  apply(plan: Plan): void {
    this.#elsewhere.apply(plan);
  }

  /** Undefined, counted, for what is other servers' business. */
  serve(plan: Plan, exchange: Exchange, asked: Asked, heard: Heard): Outcome | undefined {
    if (exchange.served.subnet.management !== 'proxy') return this.#passOver();
    this.#watch(exchange, asked);
    const { client } = exchange;
    const type = isNetbootClient(client.boot) ? answerTo(asked, heard.handle.port, exchange) : undefined;
    if (type === undefined) return this.#passOver();
    const boot = bootOfferFor(plan, exchange);
    if (boot.nextServer === undefined) return this.#nothing(boot.why);
    const sender = senderOf(exchange, asked, heard);
    if (sender && !isProxiedAddress(plan, sender.address)) return this.#refuseForeign(sender.address);
    const reply = proxyReply(exchange, { type, boot, ...(sender && { sender }) });
    const kind = type === MessageType.offer ? 'dhcp.proxy-offer' : 'dhcp.proxy-ack';
    return { reply, event: { kind, ...bootFileOf(boot) } };
  }

  #passOver(): undefined {
    this.#tally.add('passed-over');
  }

  /** Silence leaves the firmware free to boot otherwise; an offer of nothing would hold it up. */
  #nothing(reason: string): Outcome {
    this.#tally.add('refused.nothing-to-boot');
    return { event: { kind: 'dhcp.ignored', reason } };
  }

  /** A sender can be forged, and a reply is longer than what asks for it. */
  #refuseForeign(address: Ip4): Outcome {
    this.#tally.add('refused.foreign-address');
    return { event: { kind: 'dhcp.ignored', reason: `its address ${formatIp4(address)} is on no proxy subnet` } };
  }

  /** A machine that takes, uses or gives back another server's address says so in our hearing. */
  #watch(exchange: Exchange, asked: Asked): void {
    const { client, packet, link } = exchange;
    if (asked === 'release' || asked === 'decline') return this.#elsewhere.forget(client.mac);
    if (asked !== 'request' && asked !== 'inform') return;
    const address = asked === 'inform' ? packet.ciaddr : wantedAddress(exchange);
    if (!link.some(({ subnet }) => cidrContains(subnet.cidr, address))) return;
    if (!this.#elsewhere.learn(client.mac, address, Math.floor(this.#clock.now() / 1000))) return;
    const { serverId, mac } = client;
    const server = serverId === undefined || serverId === exchange.rackAddress ? {} : { server: formatIp4(serverId) };
    this.#events.emit({ kind: 'dhcp.elsewhere', ...server }, { mac: formatMac(mac), address: formatIp4(address) });
  }
}

/**
 * What this message is answered with, if at all. A REQUEST to port 67 is for the server that gives addresses: whatever it
 * says, a NAK from us would take the address from a machine that rightly has it.
 */
function answerTo(asked: Asked, port: number, { packet }: Exchange): ProxyGrant['type'] | undefined {
  if (port === BOOT_SERVER_PORT) return asked === 'request' || asked === 'inform' ? MessageType.ack : undefined;
  if (asked === 'discover') return MessageType.offer;
  return asked === 'inform' && packet.ciaddr !== UNSPECIFIED ? MessageType.ack : undefined;
}

/** Whoever asks at 4011 is answered at the very port it asked from: 68 or 4011, by firmware. An INFORM: RFC 2131 §4.3.5. */
function senderOf(
  { packet }: Exchange,
  asked: Asked,
  { datagram: { source, sourcePort }, handle }: Heard,
): { readonly address: Ip4; readonly port: number } | undefined {
  if (handle.port === BOOT_SERVER_PORT)
    return source === UNSPECIFIED ? undefined : { address: source, port: sourcePort };
  return asked === 'inform' ? { address: packet.ciaddr, port: CLIENT_PORT } : undefined;
}

/** Whether one machine may have `address`, and by another server's leave. */
function isProxiedAddress({ subnets }: Plan, address: Ip4): boolean {
  return subnets.some(
    ({ management, cidr, broadcast }) => management === 'proxy' && cidrContains(cidr, address) && address !== broadcast,
  );
}
