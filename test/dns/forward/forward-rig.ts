import type { ReplyTerms } from '../../../src/dns/forward-desk.ts';
import { Forwarding } from '../../../src/dns/forward/forwarding.ts';
import { ReplyOptions } from '../../../src/dns/reply-options.ts';
import { ServerCookies } from '../../../src/dns/server-cookies.ts';
import type { CacheSettings, DnsSettings, Plan, Upstream } from '../../../src/plan/plan.ts';
import type { EventBody } from '../../../src/timeline/event.ts';
import { decodeQuery } from '../../../src/wire/dns/query.ts';
import { HandTime } from '../../dhcp/hand-time.ts';
import { NO_DNS } from '../../plan/no-dns.ts';
import { describeReply, question } from '../ask.ts';
import { ip4, planOf } from '../plan-of.ts';
import { MemoryUpstreams, type Server } from './memory-upstreams.ts';

export const CLIENT = '192.0.2.50';
export const FIRST = '10.0.0.53';
export const SECOND = '10.0.1.53';
export const THIRD = '10.0.2.53';

interface RigWishes {
  readonly upstreams?: readonly string[];
  /** Domain → upstreams. */
  readonly routes?: Readonly<Record<string, readonly string[]>>;
  readonly cache?: Partial<CacheSettings>;
  readonly allow?: DnsSettings['allow'];
  /** Beside the one of the clients: "198.51.100.0/24 lab.example 198.51.100.1". */
  readonly subnets?: readonly string[];
}

interface AskWishes {
  readonly from?: string;
  readonly port?: number;
  readonly id?: number;
  readonly limit?: number;
  readonly edns?: { readonly size?: number; readonly dnssecOk?: boolean };
  /** Bits of the header's second word, beside RD. */
  readonly flags?: number;
  readonly recursion?: boolean;
  /** Of the client, in hex; needs `edns`. */
  readonly cookie?: string;
  readonly class?: 'IN' | 'CH';
}

/** A forwarder whose time and upstreams are in the test's hands. */
export class ForwardRig {
  readonly time = new HandTime();
  readonly world = new MemoryUpstreams(this.time);
  readonly events: EventBody[] = [];
  readonly forwarding: Forwarding;
  /** Not random, so that a failure repeats. */
  readonly random = new Xorshift16();
  readonly #options = new ReplyOptions(new ServerCookies(this.time, () => new Uint8Array(16)), '');
  #lastPort = 40_000;

  constructor(wishes: RigWishes = {}) {
    this.forwarding = new Forwarding({
      loop: this.time,
      clock: this.time,
      random: this.random,
      peers: this.world,
      connector: this.world,
      events: { emit: (body) => void this.events.push(body) },
    });
    this.apply(wishes);
  }

  apply(wishes: RigWishes): void {
    this.forwarding.apply(planWith(wishes));
  }

  serve(place: string, server: Server): void {
    this.world.servers.set(place, server);
  }

  /** Asks "example.com A"; the reply in lines once it is there, and "nothing" before. */
  ask(line: string, wishes: AskWishes = {}): { readonly bytes: Buffer | undefined; readonly lines: string[] } {
    const plain = question(line, {
      id: wishes.id ?? 4711,
      recursion: wishes.recursion ?? true,
      ...(wishes.edns && { edns: wishes.edns }),
      ...(wishes.class && { class: wishes.class }),
    });
    const message = wishes.cookie === undefined ? plain : withCookie(plain, wishes.cookie);
    message[3] = (message[3] ?? 0) | (wishes.flags ?? 0);
    const into = Buffer.alloc(65_535);
    const port = wishes.port ?? ++this.#lastPort;
    let reply: Buffer | undefined;
    const client = {
      address: ip4(wishes.from ?? CLIENT),
      port,
      later: () => (bytes: Uint8Array) => {
        if (reply) throw new Error('answered twice');
        reply = Buffer.from(bytes);
      },
    };
    const length = this.forwarding.ask(decodeQuery(message), client, into, this.terms(wishes.limit));
    // The datagram is gone when the question is answered
    message.fill(0xdd);
    if (length > 0) reply = Buffer.from(into.subarray(0, length));
    return {
      get bytes() {
        return reply;
      },
      get lines() {
        return reply ? describeReply(reply) : ['nothing'];
      },
    };
  }

  terms(limit = 1232): ReplyTerms {
    return { limit, options: this.#options, cookie: 'client' };
  }

  /** Asks and lets a moment pass. */
  answer(line: string, wishes: AskWishes = {}): string[] {
    const asked = this.ask(line, wishes);
    this.time.pass(1, 'milliseconds');
    return asked.lines;
  }

  count(name: string): number {
    return this.forwarding.counters()[name] ?? 0;
  }
}

/** OPT is last, and has no options. */
function withCookie(message: Buffer, cookie: string): Buffer {
  const option = Buffer.concat([Buffer.from([0, 10, 0, 8]), Buffer.from(cookie, 'hex')]);
  const longer = Buffer.concat([message, option]);
  longer.writeUInt16BE(option.length, message.length - 2);
  return longer;
}

/** The rack of `CLIENT`, with these upstreams. */
export function planWith({ upstreams = [FIRST], routes = {}, cache, allow = [], subnets = [] }: RigWishes): Plan {
  const plan = planOf({ subnets: ['192.0.2.0/24 rack.example 192.0.2.1', ...subnets] });
  const dns: DnsSettings = {
    ...NO_DNS,
    forward: upstreams.map(upstreamOf),
    routes: Object.entries(routes).map(([domain, forward]) => ({ domain, forward: forward.map(upstreamOf) })),
    allow,
    cache: { ...NO_DNS.cache, ...cache },
  };
  return { ...plan, dns };
}

/** "10.0.0.53", "10.0.0.53:5353", "10.0.0.53:853/dns.example". */
function upstreamOf(text: string): Upstream {
  const [where = '', tls] = text.split('/');
  const [address = '', port = '53'] = where.split(':');
  return { address: ip4(address), port: Number(port), ...(tls !== undefined && { tls }) };
}

export class Xorshift16 {
  #state = 0x1234_5678;

  uint16(): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return (state >>> 8) & 0xffff;
  }
}
