import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { pipeline, Transform } from 'node:stream';

/**
 * The cable of a machine whose ROM is to pass for plain PXE. Every ROM for QEMU's cards is an iPXE, which a rack never gives a
 * loader; here what marks it is taken out of its DHCP requests on the wire: the user class (option 77) and iPXE's own options
 * (175). What is left is what a PXE ROM says (PXE 2.1 §2.2). From the moment it asks for its loader all passes as it is, so
 * that an iPXE which is then loaded is known for one.
 *
 * So a boot on this cable shows what a rack answers a plain PXE ROM, and a loader that comes by the ROM's TFTP and runs on its
 * UNDI. It does not show the ROM of any other maker.
 */
export interface PlainPxeWire extends AsyncDisposable {
  /** QEMU's words for a card's `net0` that hangs on this cable, and on `tap` at the other end. */
  readonly arguments: readonly string[];
}

const LENGTH_BYTES = 4;
const ETHERNET_BYTES = 14;
const UDP_BYTES = 8;
/** From the start of the DHCP message to its first option (RFC 2131 §2: 236 bytes and the magic cookie). */
const OPTIONS_AT = 240;
const [PAD, END] = [0, 255];
const IPXE_MARKS: ReadonlySet<number> = new Set([77, 175]);
const [DHCP_PORT, TFTP_PORT] = [67, 69];

/** Listens for the two ends in `directory`: QEMU has the card at one, and at the other a hub with the tap. */
export async function openPlainPxeWire(directory: string, tap: string): Promise<PlainPxeWire> {
  const paths = { near: join(directory, 'card.sock'), far: join(directory, 'wire.sock') };
  const [near, far] = await Promise.all([listen(paths.near), listen(paths.far)]);
  const sockets: Socket[] = [];
  const connect = async (): Promise<void> => {
    const [card, wire] = await Promise.all([accept(near, sockets), accept(far, sockets)]);
    wire.pipe(card);
    pipeline(card, createMarkRemover(), wire, () => card.destroy());
  };
  void connect();
  return {
    arguments: [
      ['-netdev', `tap,id=tap0,ifname=${tap},script=no,downscript=no`],
      ['-netdev', `stream,id=far,server=off,addr.type=unix,addr.path=${paths.far}`],
      ['-netdev', 'hubport,id=port0,hubid=0,netdev=tap0', '-netdev', 'hubport,id=port1,hubid=0,netdev=far'],
      ['-netdev', `stream,id=net0,server=off,addr.type=unix,addr.path=${paths.near}`],
    ].flat(),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await Promise.all([near, far].map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
}

async function listen(path: string): Promise<Server> {
  const server = createServer();
  server.listen(path);
  await once(server, 'listening');
  return server;
}

function accept(server: Server, sockets: Socket[]): Promise<Socket> {
  return new Promise((resolve) => {
    server.once('connection', (socket) => {
      // QEMU is gone: so is the machine
      socket.on('error', () => socket.destroy());
      sockets.push(socket);
      resolve(socket);
    });
  });
}

/** QEMU's stream of frames (a length of four bytes before each), with the marks taken out until a loader is asked for. */
export function createMarkRemover(): Transform {
  let waiting: Buffer = Buffer.alloc(0);
  let isRom = true;
  return new Transform({
    transform(chunk: Buffer, _, done) {
      waiting = Buffer.concat([waiting, chunk]);
      let at = 0;
      for (;;) {
        if (waiting.length < at + LENGTH_BYTES) break;
        const end = at + LENGTH_BYTES + waiting.readUInt32BE(at);
        if (waiting.length < end) break;
        const datagram = udpOf(waiting.subarray(at + LENGTH_BYTES, end));
        if (datagram?.readUInt16BE(2) === TFTP_PORT) isRom = false;
        if (isRom && datagram?.readUInt16BE(2) === DHCP_PORT) removeMarks(datagram);
        at = end;
      }
      const whole = waiting.subarray(0, at);
      waiting = waiting.subarray(at);
      done(null, whole);
    },
  });
}

/** The UDP datagram in an Ethernet frame, its header included. */
function udpOf(frame: Buffer): Buffer | undefined {
  if (frame.length < ETHERNET_BYTES + 20 || frame.readUInt16BE(12) !== 0x0800) return undefined;
  const headerBytes = (frame.readUInt8(ETHERNET_BYTES) & 0x0f) * 4;
  if (frame.readUInt8(ETHERNET_BYTES + 9) !== 17) return undefined;
  const datagram = frame.subarray(ETHERNET_BYTES + headerBytes);
  return datagram.length < UDP_BYTES ? undefined : datagram;
}

/** Each becomes as many Pad options, so that nothing moves; a checksum of zero says that there is none (RFC 768). */
function removeMarks(datagram: Buffer): void {
  for (let at = UDP_BYTES + OPTIONS_AT; at + 1 < datagram.length;) {
    const code = datagram.readUInt8(at);
    if (code === END) break;
    const next = code === PAD ? at + 1 : at + 2 + datagram.readUInt8(at + 1);
    if (IPXE_MARKS.has(code)) datagram.fill(PAD, at, Math.min(next, datagram.length));
    at = next;
  }
  datagram.writeUInt16BE(0, 6);
}
