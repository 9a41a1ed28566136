/*
 * Sends DNS messages as they are: raw-dns-client.ts udp|tcp SERVER HEX…, one after the other, over TCP each on a connection of
 * its own. Prints the reply to each in hex, or `-` where none came.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';

const [transport = '', server = '', ...messages] = process.argv.slice(2);
const PATIENCE_MILLISECONDS = 700;
const PORT = 53;

async function byUdp(message: Buffer): Promise<Buffer | undefined> {
  const socket = createSocket('udp4');
  try {
    socket.send(message, PORT, server);
    const [reply] = (await once(socket, 'message', { signal: AbortSignal.timeout(PATIENCE_MILLISECONDS) })) as [Buffer];
    return reply;
  } catch {
    return undefined;
  } finally {
    socket.close();
  }
}

async function byTcp(message: Buffer): Promise<Buffer | undefined> {
  const socket = connect(PORT, server);
  const timer = setTimeout(() => socket.destroy(), PATIENCE_MILLISECONDS);
  socket.write(Buffer.concat([Buffer.from([message.length >> 8, message.length & 255]), message]));
  let heard = Buffer.alloc(0);
  try {
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      heard = Buffer.concat([heard, chunk]);
      if (heard.length >= 2 && heard.length >= 2 + heard.readUInt16BE(0)) return heard.subarray(2);
    }
  } catch {
    // Reset, or given up
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
  return undefined;
}

for (const hex of messages) {
  const message = Buffer.from(hex, 'hex');
  const reply = await (transport === 'tcp' ? byTcp(message) : byUdp(message));
  console.log(reply?.toString('hex') ?? '-');
}
