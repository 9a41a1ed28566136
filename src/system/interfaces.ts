import koffi from 'koffi';

import { readIp4, type Ip4 } from '../addr/ip4.ts';
import { AF_INET, SOCKADDR_IN } from './socket-numbers.ts';

/** An IPv4 address of a local interface. */
export interface LocalAddress {
  readonly name: string;
  readonly address: Ip4;
  /** Length of its network's prefix. */
  readonly prefix: number;
}

interface IfAddrs {
  readonly ifa_next: bigint | null;
  readonly ifa_name: string;
  readonly ifa_addr: bigint | null;
  readonly ifa_netmask: bigint | null;
}

const IFADDRS = {
  ifa_next: 'void *',
  ifa_name: 'const char *',
  ifa_flags: 'uint',
  ifa_addr: 'void *',
  ifa_netmask: 'void *',
  ifa_ifu: 'void *',
  ifa_data: 'void *',
};

/**
 * Makes a reader of the IPv4 addresses of this machine, by getifaddrs(3). `os.networkInterfaces` leaves out interfaces
 * without a carrier, and a rack whose switch is still off must start all the same. To be made once: bindings stay.
 */
export function createAddressReader(): () => LocalAddress[] {
  const libc = koffi.load('libc.so.6');
  const getifaddrs = libc.func('int getifaddrs(_Out_ void **list)');
  const freeifaddrs = libc.func('void freeifaddrs(void *list)');
  const layout = koffi.struct(IFADDRS);
  return () => {
    const list: (bigint | null)[] = [null];
    if (getifaddrs(list) !== 0) throw new Error('getifaddrs failed: the addresses of this machine are unknown');
    const first = list[0] ?? null;
    try {
      return Array.from(walk(first, (at) => koffi.decode(at, layout) as IfAddrs));
    } finally {
      freeifaddrs(first);
    }
  };
}

function* walk(first: bigint | null, decode: (at: bigint) => IfAddrs): Generator<LocalAddress> {
  for (let at = first; at !== null && at !== 0n;) {
    const { ifa_next, ifa_name, ifa_addr, ifa_netmask } = decode(at);
    const address = readSocketAddress(ifa_addr);
    const mask = readSocketAddress(ifa_netmask);
    if (address !== undefined && mask !== undefined) yield { name: ifa_name, address, prefix: prefixOf(mask) };
    at = ifa_next;
  }
}

/** The address in a struct sockaddr, when it is of IPv4. */
function readSocketAddress(at: bigint | null): Ip4 | undefined {
  if (at === null || at === 0n) return undefined;
  const bytes = new Uint8Array(koffi.view(at, SOCKADDR_IN));
  return bytes[0] === AF_INET && bytes[1] === 0 ? readIp4(bytes, 4) : undefined;
}

function prefixOf(mask: Ip4): number {
  return Math.clz32(~mask);
}
