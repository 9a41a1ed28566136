import { checked, type Libc } from '../../src/system/libc.ts';

const AF_PACKET = 17;
const SOCK_RAW_NONBLOCK = 3 | 0o4000;
/** ETH_P_IP in network order. */
const IPV4 = 0x0008;
const LONGEST_FRAME = 65_600;

/** All IPv4 frames that come out at an interface. */
export class FrameTap {
  readonly #libc: Libc;
  readonly #fd: number;

  constructor(libc: Libc, device: string) {
    this.#libc = libc;
    this.#fd = checked('socket', libc.socket(AF_PACKET, SOCK_RAW_NONBLOCK, IPV4));
    const address = Buffer.alloc(20);
    address.writeUInt16LE(AF_PACKET, 0);
    address.writeUInt16LE(IPV4, 2);
    address.writeInt32LE(libc.if_nametoindex(device), 4);
    checked('bind', libc.bind(this.#fd, address, address.length));
  }

  /** Those since the last time. */
  frames(): Buffer[] {
    const found: Buffer[] = [];
    const into = Buffer.alloc(LONGEST_FRAME);
    const read = (): number => this.#libc.read(this.#fd, into, into.length);
    for (let size = read(); size >= 0; size = read()) found.push(Buffer.from(into.subarray(0, size)));
    return found;
  }

  close(): void {
    this.#libc.close(this.#fd);
  }
}
