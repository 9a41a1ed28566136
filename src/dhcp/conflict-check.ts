import { formatIp4, type Ip4 } from '../addr/ip4.ts';
import { formatMac, type Mac } from '../addr/mac.ts';
import type { Plan } from '../plan/plan.ts';
import type { SocketHandle } from '../service/letters.ts';
import type { EventSink } from '../service/service.ts';
import type { Tally } from '../service/tally.ts';
import type { Clock } from '../system/clock.ts';
import type { Inbound } from '../system/datagram.ts';
import type { Timer } from '../system/loop.ts';
import type { Addresses } from './addresses.ts';
import { ArpLinks, type ArpLinksDependencies } from './arp-links.ts';
import type { Disbelief } from './claims.ts';
import type { Client } from './client.ts';
import type { ConflictJudge, Exchange } from './exchange.ts';
import type { Listener } from './listeners.ts';

/**
 * A LAN answers within 10 ms; a card that sleeps, or one behind a Wi-Fi bridge, after some beacons of 100 ms. Half of
 * what the least patient ROM waits before it asks again: iPXE 1 s, PXE 4 s.
 */
const WAIT_MILLISECONDS = 500;
/** As long as dnsmasq came to remember it, when a broken client's DISCOVERs queued up behind its ping (peers.md §3.3/45). */
const REMEMBER_MILLISECONDS = 30_000;
/**
 * Until its lease is over for so long, an address counts as known: its client kept others off it, and may still come
 * back. At most as long as a quarantine, so that an address declined is looked for before anyone gets it again.
 */
const LONG_IDLE_SECONDS = 300;
/**
 * Probes at a time, each with one message that waits: some 2 MB, and two racks that power up at once. Past it an address
 * is offered unseen, as by a server that has no check: to drop the message would let a flood of forged ones, each of
 * which takes a place, keep every machine from booting.
 */
const MOST_PROBES = 2_048;
/** Addresses remembered as free. */
const MOST_PROVEN = 4_096;

const DOUBTS: Readonly<Record<Disbelief, string>> = {
  card: 'it answers for too many addresses of this range to have them all',
  range: 'too many addresses of this range are answered for to keep them all from machines',
};

/** A message, and where its answer is to leave. */
export interface Arrival {
  readonly datagram: Inbound;
  readonly listener: Listener;
}

interface Probe {
  /** Monotonic milliseconds: without an answer until then, the address is free. */
  readonly due: number;
  /** Who waits for it, and for an answer to what: a copy, as it outlives the batch it came in. */
  readonly client: Client;
  readonly addresses: Addresses;
  readonly parked: Arrival;
}

export interface ConflictCheckDependencies extends ArpLinksDependencies {
  readonly clock: Clock;
  readonly events: EventSink;
  readonly tally: Tally;
  /** Serves messages once more, now that more is known about the address they were to get. */
  readonly serve: (parked: readonly Arrival[]) => void;
}

/**
 * Asks the wire whether somebody uses an address before it is offered, with one ARP probe (RFC 5227 §2.1.1) and never
 * waiting for it: the message is put aside, others are served, and when the answer is known it is served again. A
 * host's written address is looked for like any other: two machines on it are as bad.
 */
export class ConflictCheck implements ConflictJudge {
  readonly #dependencies: ConflictCheckDependencies;
  readonly #links: ArpLinks;
  /** All wait for the same time, so that the first is due first. */
  readonly #probes = new Map<Ip4, Probe>();
  /** Addresses nobody answered for, and until when that holds; the oldest first. */
  readonly #proven = new Map<Ip4, number>();
  #timer: Timer | undefined;
  /** Interfaces it was told of that they are not looked at. */
  #blind = '';

  constructor(dependencies: ConflictCheckDependencies) {
    this.#dependencies = dependencies;
    // Only the sender's address: a probe of somebody else's is no sign of use, as switches that track devices send them
    // to a client's port before it has the address (RFC 5227 §2.1.1 differs)
    this.#links = new ArpLinks(dependencies, ({ sender, senderMac }) => this.seen(sender, senderMac));
  }

  /** Messages that wait go on waiting, and are then served by the new Plan. */
  apply(plan: Plan, handles: readonly SocketHandle[]): void {
    this.#links.apply(handles);
    // The subnets may be on other interfaces now
    this.#proven.clear();
    this.#tellBlind(plan);
  }

  clears({ served: { subnet }, addresses }: Exchange, address: Ip4): boolean {
    const { interface: device, quarantineSeconds = LONG_IDLE_SECONDS } = subnet;
    if (device === undefined || subnet.conflictCheck === 'off') return true;
    const idle = addresses.secondsIdle(address);
    if (idle !== undefined && idle < Math.min(LONG_IDLE_SECONDS, quarantineSeconds)) return true;
    if (this.#isProven(address) || !this.#links.has(device)) return true;
    if (this.#probes.has(address) || this.#probes.size < MOST_PROBES) return false;
    this.#dependencies.tally.add('unprobed');
    return true;
  }

  /**
   * Puts a message aside whose client is to get `address`, if nobody has it. A repeat takes the place of the one
   * before: a machine that was reset listens to its newest transaction only.
   */
  park({ client, served, addresses }: Exchange, address: Ip4, { datagram, listener }: Arrival): void {
    const present = this.#probes.get(address);
    const due = present?.due ?? this.#dependencies.clock.monotonic() + WAIT_MILLISECONDS;
    const parked = { datagram: { ...datagram, bytes: datagram.bytes.slice() }, listener };
    this.#probes.set(address, { due, client, addresses, parked });
    this.#dependencies.tally.add(present ? 'passed-over' : 'sent.probe');
    if (!present) this.#links.probe(served.subnet.interface ?? '', address);
    this.#schedule();
  }

  /**
   * Someone was seen to use `address`: the one door for sightings, whoever makes them. What was known of it no longer
   * holds, and if it is just being looked for, that is the answer.
   */
  seen(address: Ip4, mac: Mac): void {
    this.#proven.delete(address);
    const probe = this.#probes.get(address);
    // The client itself, or its ROM that runs on: netbooted machines were kept from their own addresses by that (dnsmasq 2.78)
    if (!probe || isItself(probe, mac)) return;
    this.#probes.delete(address);
    // Meanwhile it may have chosen another server: nobody waits
    if (!isAwaited(probe, address)) return;
    const { addresses, client, parked } = probe;
    const disbelief = addresses.quarantine(client, address, mac);
    if (disbelief) this.#prove(address);
    this.#tell(client, address, mac, disbelief);
    this.#dependencies.serve([parked]);
  }

  /** Sends what is queued; returns how many the kernel would not take. */
  flush(): number {
    return this.#links.flush();
  }

  close(): void {
    this.#timer?.cancel();
    this.#probes.clear();
    this.#links.close();
  }

  #schedule(): void {
    if (this.#timer) return;
    for (const { due } of this.#probes.values()) {
      const wait = Math.max(0, due - this.#dependencies.clock.monotonic());
      this.#timer = this.#dependencies.loop.after(wait, () => this.#settleDue());
      return;
    }
  }

  /** Nobody answered for these: all their messages are served as one batch. */
  #settleDue(): void {
    this.#timer = undefined;
    const now = this.#dependencies.clock.monotonic();
    const free: Arrival[] = [];
    for (const [address, probe] of this.#probes) {
      if (probe.due > now) break;
      this.#probes.delete(address);
      this.#prove(address);
      if (isAwaited(probe, address)) free.push(probe.parked);
    }
    this.#schedule();
    if (free.length > 0) this.#dependencies.serve(free);
  }

  #isProven(address: Ip4): boolean {
    const until = this.#proven.get(address);
    return until !== undefined && until > this.#dependencies.clock.monotonic();
  }

  #prove(address: Ip4): void {
    const now = this.#dependencies.clock.monotonic();
    this.#proven.delete(address);
    for (const [oldest, until] of this.#proven) {
      if (until > now && this.#proven.size < MOST_PROVEN) break;
      this.#proven.delete(oldest);
    }
    this.#proven.set(address, now + REMEMBER_MILLISECONDS);
  }

  #tell({ mac }: Client, address: Ip4, holder: Mac, disbelief: Disbelief | undefined): void {
    const { tally, events } = this.#dependencies;
    tally.add(disbelief ? 'refused.conflict-limit' : 'conflict');
    events.emit(
      { kind: 'dhcp.conflict', holder: formatMac(holder), ...(disbelief && { reason: DOUBTS[disbelief] }) },
      { mac: formatMac(mac), address: formatIp4(address) },
    );
  }

  /** Without a raw socket there is no check: said once, not with every offer. */
  #tellBlind({ subnets }: Plan): void {
    const wanted = subnets.filter(({ management, conflictCheck }) => management !== 'none' && conflictCheck !== 'off');
    const devices = wanted.map((subnet) => subnet.interface).filter((device) => device !== undefined);
    const interfaces = [...new Set(devices)].filter((device) => !this.#links.has(device));
    const blind = interfaces.join(' ');
    if (blind === this.#blind) return;
    this.#blind = blind;
    this.#dependencies.events.emit(
      blind === '' ? { kind: 'dhcp.conflict-check-on' } : { kind: 'dhcp.conflict-check-off', interfaces },
    );
  }
}

function isAwaited({ addresses, client }: Probe, address: Ip4): boolean {
  return addresses.isOfferedTo(client, address);
}

/** Another card of the same host is the host. */
function isItself({ addresses, client }: Probe, mac: Mac): boolean {
  return mac === client.mac || addresses.host(client)?.macs.includes(mac) === true;
}
