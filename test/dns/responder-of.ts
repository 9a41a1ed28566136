import { parseIp4, type Ip4 } from '../../src/addr/ip4.ts';
import { AddressSet } from '../../src/dns/address-set.ts';
import type { ZoneFinder } from '../../src/dns/answer.ts';
import type { DnsClient } from '../../src/dns/dns-client.ts';
import { Responder, type RespondSettings } from '../../src/dns/respond.ts';
import { Tally } from '../../src/dns/tally.ts';
import type { Clock } from '../../src/system/clock.ts';
import { ip4 } from './plan-of.ts';

const NOBODY = new AddressSet([]);
const STILL: Clock = { now: () => 0, monotonic: () => 0 };

/** A client at an address of nobody in particular. */
export const STRANGER: DnsClient = { address: ip4('203.0.113.9'), port: 4000, later: () => () => {} };
/** The same by TCP. */
export const STREAM: DnsClient = { ...STRANGER, idleTimeout: 10_000 };

export function clientAt(text: string): DnsClient {
  return { ...STRANGER, address: parseIp4(text) as Ip4 };
}

/** A responder that is asked one message at a time. */
export function responderOf(zones: ZoneFinder, settings: Partial<RespondSettings> = {}, clock: Clock = STILL) {
  const tally = new Tally();
  const full = { nsid: '', recursion: NOBODY, unlimited: NOBODY, ...settings };
  const responder = new Responder({ clock, tally, secretOf }, full, zones);
  return {
    responder,
    tally,
    exchange: (message: Uint8Array, client: DnsClient = STRANGER): Buffer => {
      const into = Buffer.alloc(client.idleTimeout === undefined ? 1232 : 65_535, 0xee);
      return into.subarray(0, responder.respond(message, client, into));
    },
  };
}

function secretOf(): Uint8Array {
  return new Uint8Array(16).fill(7);
}
