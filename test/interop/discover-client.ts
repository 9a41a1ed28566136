/*
 * Clients that ask once, all in one breath. Usage: discover-client.ts MAC…
 * Each sends a DISCOVER with the broadcast bit set; prints "MAC ADDRESS" for each OFFER in the order in which they come.
 * Ends when all have one, or after 5 s (exit code 1).
 */
import { createSocket } from 'node:dgram';

const macs = process.argv.slice(2);
const waiting = new Set(macs);
const socket = createSocket({ type: 'udp4', reuseAddr: true });

function discover(mac: string): Buffer {
  const packet = Buffer.alloc(300);
  packet.set([1, 1, 6, 0, 1, 2, 3, 4]);
  packet.writeUInt16BE(0x8000, 10);
  packet.set(Buffer.from(mac.replaceAll(':', ''), 'hex'), 28);
  packet.writeUInt32BE(0x63825363, 236);
  packet.set([53, 1, 1, 255], 240);
  return packet;
}

function macOf(packet: Buffer): string {
  return Array.from(packet.subarray(28, 34), (byte) => byte.toString(16).padStart(2, '0')).join(':');
}

const timer = setTimeout(() => {
  socket.close();
  process.exitCode = 1;
}, 5_000);

socket.on('message', (packet) => {
  const mac = macOf(packet);
  if (packet[0] !== 2 || !waiting.delete(mac)) return;
  process.stdout.write(`${mac} ${packet.subarray(16, 20).join('.')}\n`);
  if (waiting.size > 0) return;
  clearTimeout(timer);
  socket.close();
});

socket.bind(68, () => {
  socket.setBroadcast(true);
  for (const mac of macs) socket.send(discover(mac), 67, '255.255.255.255');
});
