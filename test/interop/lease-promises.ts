import { ACK, OFFER, seconds, type Reply } from '../dhcp/naive-packet.ts';

/** What an ACK promised: the address is this machine's until then. */
export interface Promised {
  readonly mac: string;
  readonly address: string;
  /** Seconds since 1970. */
  readonly until: number;
}

/** Reads replies as they came by on the wire and tells which of them break the promise of an earlier ACK. */
export class LeasePromises {
  readonly broken: string[] = [];
  readonly count = { offers: 0, acks: 0, renewed: 0, reused: 0, moved: 0 };
  readonly #byAddress = new Map<string, Promised>();
  readonly #byMac = new Map<string, Promised>();

  hear({ type, mac, yiaddr: address, options, xid }: Reply, time: number): void {
    if (type !== OFFER && type !== ACK) return;
    const present = this.#byAddress.get(address);
    if (present && present.mac !== mac && present.until > time) {
      const what = `${type === ACK ? 'ACK' : 'OFFER'} ${xid.toString(16)} of ${address} to ${mac}`;
      this.broken.push(`${what}: it is ${present.mac}'s for ${(present.until - time).toFixed(3)} s more`);
    }
    if (type === OFFER) this.count.offers++;
    else this.#promise({ mac, address, until: time + seconds(options.get(51)) }, time);
  }

  /** The promises that still hold at `time`. */
  holding(time: number): Promised[] {
    return [...this.#byMac.values()].filter(({ until }) => until > time);
  }

  #promise(promised: Promised, time: number): void {
    const { mac, address } = promised;
    this.count.acks++;
    const [holder, own] = [this.#byAddress.get(address), this.#byMac.get(mac)];
    if (holder?.mac === mac) this.count.renewed++;
    else if (holder) this.count.reused++;
    if (own && own.address !== address) {
      // A client has one address on a wire: its new one ends the old
      if (own.until > time) this.count.moved++;
      if (this.#byAddress.get(own.address) === own) this.#byAddress.delete(own.address);
    }
    this.#byAddress.set(address, promised);
    this.#byMac.set(mac, promised);
  }
}
