/*
 * Joins two interfaces of its network namespace as a bad cable: bad-wire.ts LEFT RIGHT PER-CENT SEED. Of the IPv4 packets
 * each way it loses so many of a hundred, carries as many twice and holds as many back for up to 3 ms, so that others
 * overtake them. What `tc netem` does, where the kernel has none. Says "joined" when it carries.
 */
import { checked, loadLibc } from '../../src/system/libc.ts';
import { PollLoop } from '../../src/system/poll-loop.ts';
import { systemClock } from '../../src/system/clock.ts';
import { AF_PACKET, SOCKADDR_LL, SOCK_CLOEXEC_NONBLOCK } from '../../src/system/socket-numbers.ts';

const SOCK_RAW = 3;
const SOL_PACKET = 263;
/** Each frame has a struct virtio_net_hdr before it: checksums that the sender's kernel left to the card go on so. */
const PACKET_VNET_HDR = 15;
const PACKET_IGNORE_OUTGOING = 23;
const VNET_HDR = 10;
const ETH_P_ALL = 0x0003;
const ETHERTYPE_IPV4 = 0x0800;
const LONGEST = 70_000;
const LATEST = 3;

const [left = '', right = '', perCent = '0', seed = '1'] = process.argv.slice(2);
const chance = Number(perCent) / 100;
const libc = loadLibc();
const loop = new PollLoop(libc, systemClock);
const random = mulberry32(Number(seed));
const frame = Buffer.alloc(LONGEST);
const ends = [open(left), open(right)] as const;

carry(ends[0], ends[1]);
carry(ends[1], ends[0]);
process.stdout.write('joined\n');
loop.run();

function carry(from: number, to: number): void {
  loop.watch(from, () => {
    for (;;) {
      const length = libc.read(from, frame, LONGEST);
      if (length <= VNET_HDR) return;
      pass(frame.subarray(0, length), to);
    }
  });
}

function pass(bytes: Uint8Array, to: number): void {
  // ARP is not what is tried here
  const isIp = Buffer.from(bytes.buffer, bytes.byteOffset).readUInt16BE(VNET_HDR + 12) === ETHERTYPE_IPV4;
  if (!isIp) return void libc.write(to, bytes, bytes.length);
  if (random() < chance) return undefined;
  const copies = random() < chance ? 2 : 1;
  for (let copy = 0; copy < copies; copy++) {
    if (random() >= chance) libc.write(to, bytes, bytes.length);
    else hold(Uint8Array.from(bytes), to);
  }
  return undefined;
}

function hold(bytes: Uint8Array, to: number): void {
  loop.after(random() * LATEST, () => libc.write(to, bytes, bytes.length));
}

function open(name: string): number {
  const fd = checked('socket', libc.socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC_NONBLOCK, 0));
  const one = Buffer.from([1, 0, 0, 0]);
  checked('PACKET_VNET_HDR', libc.setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, one, one.length));
  checked('PACKET_IGNORE_OUTGOING', libc.setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, one, one.length));
  const address = Buffer.alloc(SOCKADDR_LL);
  address.writeUInt16LE(AF_PACKET, 0);
  address.writeUInt16BE(ETH_P_ALL, 2);
  address.writeInt32LE(libc.if_nametoindex(name), 4);
  checked('bind', libc.bind(fd, address, address.length));
  return fd;
}

function mulberry32(start: number): () => number {
  let state = start | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
