/*
 * The DHCP steps of a PXE ROM beside a proxy (PXE 2.1 §2.2), written apart from the rack's own codec. Usage:
 * pxe-client.ts DEVICE BYTES-OF-ARCH, such as `client0 0,7`. Waits for an offer with an address and one without, takes the
 * first, asks the second's sender at 4011 from its new address, renews its lease, and prints as JSON what came at each step.
 */
import { spawnSync } from 'node:child_process';
import { createSocket, type RemoteInfo } from 'node:dgram';

const [, , device = '', archText = ''] = process.argv;
const arch = archText.split(',').map(Number);
const vendorClass = Buffer.from(`PXEClient:Arch:${String(arch[1]).padStart(5, '0')}:UNDI:003016`);
const MAC = [0x02, 0xbb, 0, 0, 0, arch[1] ?? 0];
const [DISCOVER, OFFER, REQUEST, ACK] = [1, 2, 3, 5];
const PATIENCE = 5_000;

interface Heard {
  readonly from: string;
  readonly type: number;
  readonly address: string;
  readonly server: string;
  readonly file: string;
  readonly codes: readonly number[];
  readonly vendorClass: string;
}

function message(type: number, ciaddr: string, options: readonly number[]): Buffer {
  const packet = Buffer.alloc(400);
  packet.set([1, 1, 6, 0, 0x11, 0x22, 0x33, type]);
  packet.writeUInt16BE(ciaddr === '0.0.0.0' ? 0x8000 : 0, 10);
  packet.set(quad(ciaddr), 12);
  packet.set(MAC, 28);
  packet.writeUInt32BE(0x63825363, 236);
  const who = [93, 2, ...arch, 60, vendorClass.length, ...vendorClass, 97, 17, 0, ...Buffer.alloc(16, 7)];
  packet.set([53, 1, type, ...who, 55, 4, 1, 43, 60, 67, ...options, 255], 240);
  return packet;
}

function quad(text: string): number[] {
  return text.split('.').map(Number);
}

function read(packet: Buffer, { address, port }: RemoteInfo): Heard {
  const options = new Map<number, Buffer>();
  for (let at = 240; at < packet.length && packet[at] !== 255;) {
    const length = packet[at + 1] ?? 0;
    if (packet[at] !== 0) options.set(packet[at] ?? 0, packet.subarray(at + 2, at + 2 + length));
    at += packet[at] === 0 ? 1 : 2 + length;
  }
  return {
    from: `${address}:${port}`,
    type: options.get(53)?.[0] ?? 0,
    address: packet.subarray(16, 20).join('.'),
    server: packet.subarray(20, 24).join('.'),
    file: packet.toString('latin1', 108, 236).replace(/\0.*$/s, ''),
    codes: [...options.keys()],
    vendorClass: options.get(60)?.toString('latin1') ?? '',
  };
}

/** Sends until all that is wanted was heard, or for five seconds. */
async function ask(
  port: number,
  packet: Buffer,
  to: { readonly address: string; readonly port: number; readonly from?: string },
  wanted: readonly ((heard: Heard) => boolean)[],
): Promise<Heard[]> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  const found = new Map<number, Heard>();
  await new Promise<void>((resolve) => socket.bind(port, to.from ?? '0.0.0.0', resolve));
  socket.setBroadcast(true);
  const again = setInterval(() => socket.send(packet, to.port, to.address), 500);
  socket.send(packet, to.port, to.address);
  await new Promise<void>((resolve) => {
    const late = setTimeout(resolve, PATIENCE);
    socket.on('message', (bytes, sender) => {
      if (bytes[0] !== 2) return;
      const heard = read(bytes, sender);
      for (const [i, isWanted] of wanted.entries()) if (!found.has(i) && isWanted(heard)) found.set(i, heard);
      if (found.size < wanted.length) return;
      clearTimeout(late);
      resolve();
    });
  });
  clearInterval(again);
  socket.close();
  return wanted.flatMap((_, i) => found.get(i) ?? []);
}

const broadcast = { address: '255.255.255.255', port: 67 };
const isOffer = (heard: Heard): boolean => heard.type === OFFER;
const isAck = (heard: Heard): boolean => heard.type === ACK;
const offers = await ask(68, message(DISCOVER, '0.0.0.0', []), broadcast, [
  (heard) => isOffer(heard) && heard.address !== '0.0.0.0',
  (heard) => isOffer(heard) && heard.address === '0.0.0.0',
]);
const [offer, proxy] = offers;
const address = offer?.address ?? '0.0.0.0';
const server = offer?.from.split(':')[0] ?? '0.0.0.0';
const wishes = [50, 4, ...quad(address), 54, 4, ...quad(server)];
const [lease] = await ask(68, message(REQUEST, '0.0.0.0', wishes), broadcast, [isAck]);
spawnSync('ip', ['address', 'add', `${address}/24`, 'dev', device]);
const bootServer = { address: proxy?.server ?? '', port: 4011, from: address };
const [boot] = await ask(4011, message(REQUEST, address, []), bootServer, [isAck]);
const [renewed] = await ask(68, message(REQUEST, address, []), { address: server, port: 67 }, [isAck]);
process.stdout.write(JSON.stringify({ offer, proxy, lease, boot, renewed }));
