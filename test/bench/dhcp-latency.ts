/*
 * How long DHCP clients wait: `node dhcp-latency.ts SECONDS PER_SECOND`, run inside the clients' namespace. The same 90 clients take turns with
 * DISCOVER and REQUEST, so that after the first turn nothing waits for a look at the wire. Prints JSON: milliseconds from DISCOVER to ACK.
 */
import { createSocket } from 'node:dgram';

const [seconds, perSecond] = [Number(process.argv[2]), Number(process.argv[3])];
const CLIENTS = 90;
const [DISCOVER, OFFER, REQUEST, ACK] = [1, 2, 3, 5];
const socket = createSocket({ type: 'udp4', reuseAddr: true });
const began = new Map<number, number>();
const waits: number[] = [];
let asked = 0;

function message(xid: number, type: number, options: readonly number[]): Buffer {
  const packet = Buffer.alloc(300);
  packet.set([1, 1, 6, 0]);
  packet.writeUInt32BE(xid, 4);
  packet.writeUInt16BE(0x8000, 10);
  packet.set([2, 0xbb, 0, 0, 0, xid % CLIENTS], 28);
  packet.writeUInt32BE(0x63825363, 236);
  packet.set([53, 1, type, ...options, 255], 240);
  return packet;
}

function option(packet: Buffer, code: number): Buffer {
  for (let at = 240; at < packet.length && packet[at] !== 255; at += 2 + (packet[at + 1] ?? 0)) {
    if (packet[at] === code) return packet.subarray(at + 2, at + 2 + (packet[at + 1] ?? 0));
  }
  return Buffer.alloc(0);
}

function ask(): void {
  const xid = asked++;
  began.set(xid, performance.now());
  socket.send(message(xid, DISCOVER, []), 67, '255.255.255.255');
}

socket.on('message', (packet) => {
  const xid = packet.readUInt32BE(4);
  const start = began.get(xid);
  if (packet[0] !== 2 || start === undefined) return;
  const type = option(packet, 53)[0];
  const chosen = [50, 4, ...packet.subarray(16, 20), 54, 4, ...option(packet, 54)];
  if (type === OFFER) socket.send(message(xid, REQUEST, chosen), 67, '255.255.255.255');
  if (type !== ACK) return;
  began.delete(xid);
  // The first turn looks at the wire, and is the warming up
  if (xid >= CLIENTS) waits.push(performance.now() - start);
});

socket.bind(68, () => {
  socket.setBroadcast(true);
  const timer = setInterval(ask, 1000 / perSecond);
  setTimeout(() => clearInterval(timer), seconds * 1000);
  setTimeout(
    () => {
      socket.close();
      const sorted = waits.toSorted((a, b) => a - b);
      const at = (part: number): number => sorted[Math.floor(sorted.length * part)] ?? Number.NaN;
      const lost = [...began.keys()].filter((xid) => xid >= CLIENTS).length;
      console.log(JSON.stringify({ answered: sorted.length, lost, p50: at(0.5), p99: at(0.99), most: sorted.at(-1) }));
    },
    seconds * 1000 + 1500,
  );
});
