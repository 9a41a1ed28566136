import type { Answer, DhcpRack } from './dhcp-rack.ts';
import {
  ACK,
  DECLINE,
  DISCOVER,
  letters,
  OFFER,
  quad,
  RELEASE,
  REQUEST,
  writePacket,
  type Words,
} from './naive-packet.ts';
import { RACK } from './test-plan.ts';

type Options = readonly (readonly [number, readonly number[]])[];

/** What a machine may add to any message. */
export interface Extra {
  readonly giaddr?: string;
  readonly broadcast?: boolean;
  readonly options?: Options;
  readonly server?: string;
  readonly ciaddr?: string;
}

/** The n-th machine: "52:54:00:00:00:0n". */
export function macOf(n: number): string {
  const tail = [n >>> 16, (n >>> 8) & 255, n & 255].map((byte) => byte.toString(16).padStart(2, '0'));
  return `52:54:00:${tail.join(':')}`;
}

/** A DHCP client that says exactly what a test has it say (RFC 2131 table 5). */
export class Machine {
  readonly mac: string;
  readonly #rack: DhcpRack;

  constructor(rack: DhcpRack, n: number) {
    this.#rack = rack;
    this.mac = macOf(n);
  }

  discover(extra: Extra & { readonly wants?: string; readonly name?: string } = {}): Answer | undefined {
    const options: Options = [...nameOption(extra.name), ...address(50, extra.wants), ...(extra.options ?? [])];
    return this.#say(DISCOVER, extra, options);
  }

  /** SELECTING: takes an offer. */
  select(wanted: string, extra: Extra & { readonly name?: string } = {}): Answer | undefined {
    const options = [...nameOption(extra.name), ...address(54, extra.server ?? RACK), ...address(50, wanted)];
    return this.#say(REQUEST, extra, [...options, ...(extra.options ?? [])]);
  }

  /** INIT-REBOOT: remembers an address. */
  reboot(wanted: string, extra: Extra = {}): Answer | undefined {
    return this.#say(REQUEST, extra, [...address(50, wanted), ...(extra.options ?? [])]);
  }

  /** RENEWING: unicast from the address it has. */
  renew(ciaddr: string, extra: Extra = {}): Answer | undefined {
    return this.#say(REQUEST, { ...extra, ciaddr }, extra.options ?? [], extra.server ?? RACK);
  }

  /** REBINDING: as RENEWING, but to everyone. */
  rebind(ciaddr: string, extra: Extra = {}): Answer | undefined {
    return this.#say(REQUEST, { ...extra, ciaddr }, extra.options ?? []);
  }

  release(ciaddr: string): Answer | undefined {
    return this.#say(RELEASE, { ciaddr }, address(54, RACK), RACK);
  }

  decline(wanted: string): Answer | undefined {
    return this.#say(DECLINE, {}, [...address(54, RACK), ...address(50, wanted)]);
  }

  /** The whole way to an address; throws when the rack does not go along. */
  boot(extra: Extra & { readonly name?: string } = {}): string {
    const offer = this.discover(extra);
    if (offer?.type !== OFFER) throw new Error(`${this.mac} got no offer`);
    const ack = this.select(offer.yiaddr, extra);
    if (ack?.type !== ACK) throw new Error(`${this.mac} got no ACK`);
    return ack.yiaddr;
  }

  #say(type: number, extra: Extra, options: Options, to?: string): Answer | undefined {
    const words: Words = {
      type,
      mac: this.mac,
      options,
      ...(extra.giaddr !== undefined && { giaddr: extra.giaddr, hops: 1 }),
      ...(extra.broadcast !== undefined && { broadcast: extra.broadcast }),
      ...(extra.ciaddr !== undefined && { ciaddr: extra.ciaddr }),
    };
    return this.#rack.ask(writePacket(words), extra.giaddr === undefined ? to : RACK);
  }
}

function address(code: number, text: string | undefined): Options {
  return text === undefined ? [] : [[code, quad(text)]];
}

function nameOption(name: string | undefined): Options {
  return name === undefined ? [] : [[12, letters(name)]];
}
