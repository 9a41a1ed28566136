import { addressOf, checked, type Libc } from './libc.ts';
import { SOL_SOCKET } from './socket-numbers.ts';

const SO_ATTACH_FILTER = 26;
/** struct sock_filter { u16 code; u8 jt; u8 jf; u32 k }. */
const INSTRUCTION = 8;
/** struct sock_fprog { u16 len; sock_filter *filter }, padded. */
const PROGRAM = 16;
/** A buffer must be of some size to lie still: see `addressOf`. */
const LEAST_BUFFER = 128;

/* Classic BPF (linux/bpf_common.h): what a step does with its number `k`. */
const LOAD_32 = 0x20;
const LOAD_16 = 0x28;
const LOAD_8 = 0x30;
const LOAD_16_BEHIND_X = 0x48;
const LOAD_X_IP_HEADER = 0xb1;
const X_BECOMES_A = 0x07;
const IF_EQUAL = 0x15;
const IF_EQUAL_X = 0x1d;
const IF_ANY_BIT = 0x45;
const RETURN = 0x06;

/** Behind it the kernel shows what it knows of a packet (linux/filter.h); of its types 0 is one for our own address. */
const ANCILLARY = 0xfffff000;
const PACKET_TYPE = 4;
const PACKET_HOST = 0;

const ETHERTYPE = 12;
const ETHERNET_HEADER = 14;
const TAG = 4;
/** IEEE 802.1Q and 802.1ad. */
const TAGGED = 0x8100;
const TAGGED_OUTSIDE = 0x88a8;
const ARP = 0x0806;
const IPV4 = 0x0800;
const UDP = 17;
/** Where ARP for IPv4 has its addresses (RFC 826). */
const SENDER = 14;
const TARGET = 24;
const DHCP_SERVER = 67;
const DHCP_CLIENT = 68;

/** Of a frame with an inner tag and ARP for IPv4 nothing is cut off. */
export const ARP_SNAP = 64;
/** A full frame and a tag. */
export const DHCP_SNAP = 1518;

/** One step; a test goes on at the step called `yes` or `no`, and where one is absent at the next. */
interface Step {
  readonly code: number;
  readonly k: number;
  readonly called?: string;
  readonly yes?: string;
  readonly no?: string;
}

/** A filter for AF_PACKET sockets of whole frames: struct sock_filter[]. What it passes is cut to so many bytes. */
export type PacketFilter = Uint8Array;

/** ARP, in a VLAN too. The kernel takes off the outermost tag before it asks; one may be left. */
export function arpFilter(): PacketFilter {
  return assemble([
    { code: LOAD_16, k: ETHERTYPE },
    { code: IF_EQUAL, k: ARP, yes: 'pass' },
    { code: IF_EQUAL, k: TAGGED, yes: 'tagged' },
    { code: IF_EQUAL, k: TAGGED_OUTSIDE, no: 'drop' },
    { code: LOAD_16, k: ETHERTYPE + TAG, called: 'tagged' },
    { code: IF_EQUAL, k: ARP, yes: 'pass', no: 'drop' },
    ...verdicts(ARP_SNAP),
  ]);
}

/** IPv4 UDP to the ports of DHCP, in a VLAN too. */
export function dhcpFilter(): PacketFilter {
  return assemble([
    { code: LOAD_16, k: ETHERTYPE },
    { code: IF_EQUAL, k: IPV4, yes: 'plain' },
    { code: IF_EQUAL, k: TAGGED, yes: 'tagged' },
    { code: IF_EQUAL, k: TAGGED_OUTSIDE, no: 'drop' },
    { code: LOAD_16, k: ETHERTYPE + TAG, called: 'tagged' },
    { code: IF_EQUAL, k: IPV4, no: 'drop' },
    ...ifDhcp(ETHERNET_HEADER + TAG),
    ...ifDhcp(ETHERNET_HEADER, 'plain'),
    ...verdicts(DHCP_SNAP),
  ]);
}

/**
 * Of ARP what answers us or announces an address, for sockets without Ethernet headers: whoever only waits for answers need not hear all that is
 * asked on a wire, or a flood of it.
 */
export function arpAnswerFilter(): PacketFilter {
  return assemble([
    { code: LOAD_8, k: ANCILLARY + PACKET_TYPE },
    { code: IF_EQUAL, k: PACKET_HOST, yes: 'pass' },
    { code: LOAD_32, k: TARGET },
    { code: X_BECOMES_A, k: 0 },
    { code: LOAD_32, k: SENDER },
    { code: IF_EQUAL_X, k: 0, yes: 'pass', no: 'drop' },
    ...verdicts(ARP_SNAP),
  ]);
}

/** Puts a filter on a socket. To be done before it is bound, or unfiltered packets come first. Throws SystemCallError. */
export function attachFilter(libc: Libc, fd: number, filter: PacketFilter): void {
  const code = new Uint8Array(new ArrayBuffer(Math.max(LEAST_BUFFER, filter.length)));
  code.set(filter);
  const program = Buffer.alloc(PROGRAM);
  program.writeUInt16LE(filter.length / INSTRUCTION, 0);
  program.writeBigUInt64LE(addressOf(code), 8);
  checked('SO_ATTACH_FILTER', libc.setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, program, program.length));
}

function ifDhcp(ip: number, called?: string): Step[] {
  return [
    { code: LOAD_8, k: ip + 9, ...(called !== undefined && { called }) },
    { code: IF_EQUAL, k: UDP, no: 'drop' },
    { code: LOAD_16, k: ip + 6 },
    // A later fragment has no ports
    { code: IF_ANY_BIT, k: 0x1fff, yes: 'drop' },
    { code: LOAD_X_IP_HEADER, k: ip },
    { code: LOAD_16_BEHIND_X, k: ip + 2 },
    { code: IF_EQUAL, k: DHCP_SERVER, yes: 'pass' },
    { code: IF_EQUAL, k: DHCP_CLIENT, yes: 'pass', no: 'drop' },
  ];
}

function verdicts(snap: number): Step[] {
  return [
    { code: RETURN, k: snap, called: 'pass' },
    { code: RETURN, k: 0, called: 'drop' },
  ];
}

function assemble(steps: readonly Step[]): PacketFilter {
  const places = new Map(steps.flatMap(({ called }, at) => (called === undefined ? [] : [[called, at] as const])));
  const code = new Uint8Array(steps.length * INSTRUCTION);
  const view = new DataView(code.buffer);
  for (const [at, step] of steps.entries()) {
    // Jumps are counted from the next step, and go forward only
    const distance = (name: string | undefined): number =>
      name === undefined ? 0 : (places.get(name) ?? Number.NaN) - at - 1;
    view.setUint16(at * INSTRUCTION, step.code, true);
    view.setUint8(at * INSTRUCTION + 2, distance(step.yes));
    view.setUint8(at * INSTRUCTION + 3, distance(step.no));
    view.setUint32(at * INSTRUCTION + 4, step.k, true);
  }
  return code;
}
