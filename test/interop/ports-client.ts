/*
 * Asks the same from many ports, so that every thread of a server is asked: ports-client.ts SERVER PORTS MILLISECONDS HEX…
 * asks each message from each port, round after round for so long, once for 0. Prints what came back (PortsReport).
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

export interface PortsReport {
  readonly asked: number;
  /** What nobody answered. */
  readonly lost: number;
  /** For each message how often each reply came, in hex, its ID zero. */
  readonly replies: readonly Readonly<Record<string, number>>[];
}

const PORT = 53;
/** A thread that failed is back long before. */
const PATIENCE_MILLISECONDS = 8_000;
const PAUSE_MILLISECONDS = 5;

const [server = '', ports = '1', milliseconds = '0', ...hex] = process.argv.slice(2);
const messages = hex.map((text) => Buffer.from(text, 'hex'));
const replies = messages.map((): Record<string, number> => ({}));
let [asked, lost, lastId] = [0, 0, 0];

async function ask(socket: Socket, which: number): Promise<void> {
  const message = Buffer.from(messages[which] ?? []);
  const id = (lastId = (lastId + 1) & 0xffff);
  message.writeUInt16BE(id, 0);
  asked++;
  const answered = new Promise<Buffer>((resolve) => {
    const hear = (reply: Buffer): void => {
      if (reply.readUInt16BE(0) !== id) return;
      socket.off('message', hear);
      resolve(reply);
    };
    socket.on('message', hear);
  });
  socket.send(message, PORT, server);
  const reply = await Promise.race([answered, delay(PATIENCE_MILLISECONDS, undefined, { ref: false })]);
  if (!reply) return void lost++;
  reply.writeUInt16BE(0, 0);
  const text = reply.toString('hex');
  const counts = replies[which] ?? {};
  counts[text] = (counts[text] ?? 0) + 1;
}

async function open(): Promise<Socket> {
  const socket = createSocket('udp4').bind(0);
  socket.setMaxListeners(0);
  await once(socket, 'listening');
  return socket;
}

const sockets = await Promise.all(Array.from({ length: Number(ports) }, open));
const end = performance.now() + Number(milliseconds);
// Each port goes on by itself: where one waits the others ask
await Promise.all(
  sockets.map(async (socket) => {
    do {
      await Promise.all(messages.map((_, which) => ask(socket, which)));
      await delay(PAUSE_MILLISECONDS);
    } while (performance.now() < end);
    socket.close();
  }),
);
console.log(JSON.stringify({ asked, lost, replies } satisfies PortsReport));
