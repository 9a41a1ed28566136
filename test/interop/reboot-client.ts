/*
 * Machines that start again and remember their address (INIT-REBOOT), heard through a relay, which this program is:
 * reboot-client.ts RELAY SERVER FILE. The file has "MAC ADDRESS" a line; asks for one after another and prints "MAC ADDRESS" for
 * each ACK and "MAC NAK" for each NAK. What stays unanswered is asked three times.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

import { ACK, quad, readReply, REQUEST, writePacket } from '../dhcp/naive-packet.ts';

const [relay = '', server = '', file = ''] = process.argv.slice(2);
const TRIES = 3;
const WAIT_MILLISECONDS = 1_000;
const socket = createSocket('udp4');
socket.bind(67, relay);
await once(socket, 'listening');

async function ask(packet: Uint8Array): Promise<Buffer | undefined> {
  for (let tries = 0; tries < TRIES; tries++) {
    const signal = AbortSignal.timeout(WAIT_MILLISECONDS);
    const answered = once(socket, 'message', { signal }).catch(() => undefined);
    socket.send(packet, 67, server);
    const message = (await answered) as [Buffer] | undefined;
    if (message) return message[0];
  }
  return undefined;
}

let xid = 1;
for (const line of readFileSync(file, 'utf8').trim().split('\n')) {
  const [mac = '', address = ''] = line.split(' ');
  const words = { type: REQUEST, mac, xid: xid++, giaddr: relay, hops: 1 };
  const answer = await ask(writePacket({ ...words, options: [[50, quad(address)]] }));
  const reply = answer && readReply(answer);
  if (reply) console.log(`${reply.mac} ${reply.type === ACK ? reply.yiaddr : 'NAK'}`);
}
socket.close();
