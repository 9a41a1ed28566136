import { writeMac, type Mac } from '../addr/mac.ts';
import type { LinkDestination, LinkSender } from './datagram.ts';
import { writeIpDatagram } from './ip-datagram.ts';
import { checked, type Libc } from './libc.ts';
import { SendQueue } from './send-queue.ts';
import { AF_PACKET, SOCK_CLOEXEC_NONBLOCK, SOCK_DGRAM, SOCKADDR_LL } from './socket-numbers.ts';

const ETHERTYPE_IPV4 = 0x0800;
const SLOT = 2048;
const HEADERS = 28;

/** Opens the socket of a `LinkSender`. Protocol 0: it receives nothing. Needs CAP_NET_RAW; throws SystemCallError. */
export function openLinkSocket(libc: Libc): number {
  return checked('socket AF_PACKET', libc.socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC_NONBLOCK, 0));
}

/** An AF_PACKET socket: the kernel writes the Ethernet header, we write IP and UDP. */
export class LinkSocket implements LinkSender {
  readonly #fd: number;
  readonly #queue: SendQueue;

  /** `fd` from `openLinkSocket`; whoever opened it closes it. */
  constructor(libc: Libc, fd: number) {
    this.#fd = fd;
    this.#queue = new SendQueue(libc, SLOT);
  }

  send(bytes: Uint8Array, to: LinkDestination): void {
    const batch = this.#queue.batch;
    if (bytes.length + HEADERS > batch.slot) throw new RangeError(`a datagram of ${bytes.length} bytes is too long`);
    const index = this.#queue.next(this.#fd);
    const name = batch.nameOffset(index);
    batch.arena.fill(0, name, name + SOCKADDR_LL);
    batch.arenaView.setUint16(name, AF_PACKET, true);
    batch.arenaView.setUint16(name + 2, ETHERTYPE_IPV4);
    batch.arenaView.setInt32(name + 4, to.ifindex, true);
    batch.arena[name + 11] = 6;
    writeMac(batch.arena, name + 12, to.mac as Mac);
    const length = writeIpDatagram(batch.arena, batch.payload(index), bytes, to);
    batch.describe(index, SOCKADDR_LL, 0, length);
  }

  flush(): number {
    return this.#queue.flush();
  }

  close(): void {
    this.flush();
  }
}
