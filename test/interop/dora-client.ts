/*
 * Many DHCP clients in one process, written apart from the rack's own codec. Usage: dora-client.ts COUNT [PARALLEL] [NAME] [release]
 * Each asks with DISCOVER and REQUEST, broadcast bit set, and calls itself NAME and its number if there is one; prints
 * "MAC ADDRESS" for each ACK the moment it comes.
 * With `release` it gives its address back at once. Ends when all have an address, or when nothing was answered for 3 s (exit code 1).
 */
import { createSocket } from 'node:dgram';

const count = Number(process.argv[2] ?? 1);
const parallel = Number(process.argv[3] ?? 50);
const name = process.argv[4] === '' ? undefined : process.argv[4];
const isBrief = process.argv[5] === 'release';
const socket = createSocket({ type: 'udp4', reuseAddr: true });
let next = 0;
let done = 0;
let heard = Date.now();
const waiting = new Map<number, { sentAt: number; packet: Buffer }>();

const [DISCOVER, OFFER, REQUEST, ACK, RELEASE] = [1, 2, 3, 5, 7];

function message(client: number, type: number, options: readonly number[]): Buffer {
  const packet = Buffer.alloc(300);
  packet.set([1, 1, 6, 0]);
  packet.writeUInt32BE(0x1000_0000 + client, 4);
  packet.writeUInt16BE(0x8000, 10);
  packet.set([0x02, 0xaa, 0, 0, client >> 8, client & 255], 28);
  packet.writeUInt32BE(0x63825363, 236);
  const called = name === undefined ? [] : [12, `${name}${client}`.length, ...Buffer.from(`${name}${client}`)];
  packet.set([53, 1, type, ...options, ...called, 255], 240);
  return packet;
}

function option(packet: Buffer, code: number): Buffer | undefined {
  for (let at = 240; at < packet.length && packet[at] !== 255;) {
    if (packet[at] === 0) at++;
    else if (packet[at] === code) return packet.subarray(at + 2, at + 2 + (packet[at + 1] ?? 0));
    else at += 2 + (packet[at + 1] ?? 0);
  }
  return undefined;
}

function send(client: number, packet: Buffer): void {
  waiting.set(client, { sentAt: Date.now(), packet });
  socket.send(packet, 67, '255.255.255.255');
}

function release(client: number, acknowledged: Buffer): void {
  const server = option(acknowledged, 54) ?? Buffer.alloc(4);
  const packet = message(client, RELEASE, [54, 4, ...server]);
  acknowledged.copy(packet, 12, 16, 20);
  socket.send(packet, 67, server.join('.'));
}

function startNext(): void {
  if (next < count) {
    const client = next++;
    send(client, message(client, DISCOVER, []));
  }
}

socket.on('message', (packet) => {
  const client = packet.readUInt32BE(4) - 0x1000_0000;
  if (packet[0] !== 2 || !waiting.has(client)) return;
  heard = Date.now();
  const type = option(packet, 53)?.[0];
  const address = packet.subarray(16, 20);
  if (type === OFFER) send(client, message(client, REQUEST, [50, 4, ...address, 54, 4, ...(option(packet, 54) ?? [])]));
  if (type === ACK) {
    waiting.delete(client);
    process.stdout.write(
      `02:aa:00:00:${packet.subarray(32, 34).toString('hex', 0, 1)}:${packet.toString('hex', 33, 34)} ${address.join('.')}\n`,
    );
    if (isBrief) release(client, packet);
    done++;
    startNext();
  }
});

socket.bind(68, () => {
  socket.setBroadcast(true);
  for (let i = 0; i < parallel; i++) startNext();
});

const timer = setInterval(() => {
  const now = Date.now();
  for (const [client, { sentAt, packet }] of waiting) if (now - sentAt > 500) send(client, packet);
  if (done === count || now - heard > 3_000) {
    clearInterval(timer);
    socket.close();
    process.exitCode = done === count ? 0 : 1;
  }
}, 50);
