/** A resolver that does wrong on purpose: `node dns-liar.ts ADDRESS`. What it does the first label asked for says. */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { argv } from 'node:process';

import { decode, encode } from 'dns-packet';

const address = argv[2] ?? '127.0.0.1';
const RIGHT = '203.0.113.4';
const WRONG = '6.6.6.6';

function reply(message: Buffer, data: string, wishes: { id?: number; name?: string; flags?: number } = {}): Buffer {
  const { id = 0, questions = [] } = decode(message);
  const [asked] = questions;
  const name = wishes.name ?? asked?.name ?? '';
  return encode({
    type: 'response',
    id: (id + (wishes.id ?? 0)) & 0xffff,
    flags: 0x0180 | (wishes.flags ?? 0),
    questions: asked ? [{ ...asked, name }] : [],
    answers: [{ type: 'A', class: 'IN', ttl: 300, name, data }],
  });
}

function byDatagram(message: Buffer, label: string, send: (bytes: Buffer) => void): void {
  if (label === 'flood') for (let i = 1; i <= 40; i++) send(reply(message, WRONG, { id: i }));
  if (label === 'elsewhere') send(reply(message, WRONG, { name: 'bank.liar.example' }));
  if (label === 'junk') send(Buffer.from([1, 2, 3]));
  if (label === 'lower')
    return send(reply(message, WRONG, { name: decode(message).questions?.[0]?.name.toLowerCase() ?? '' }));
  if (label === 'slow') {
    setTimeout(() => send(reply(message, RIGHT)), 700);
    return;
  }
  send(reply(message, RIGHT));
}

function labelOf(message: Buffer): string {
  return decode(message).questions?.[0]?.name.split('.', 1)[0]?.toLowerCase() ?? '';
}

const udp = createSocket('udp4');
udp.on('message', (message, from) =>
  byDatagram(message, labelOf(message), (bytes) => udp.send(bytes, from.port, from.address)),
);
udp.bind(53, address);

createServer((stream) => {
  let bytes = Buffer.alloc(0);
  stream.on('error', () => stream.destroy());
  stream.on('data', (more: Buffer) => {
    bytes = Buffer.concat([bytes, more]);
    while (bytes.length >= 2 && bytes.length >= 2 + bytes.readUInt16BE()) {
      const end = 2 + bytes.readUInt16BE();
      const answer = reply(bytes.subarray(2, end), RIGHT);
      stream.write(Buffer.concat([Buffer.from([answer.length >>> 8, answer.length & 255]), answer]));
      bytes = bytes.subarray(end);
    }
  });
}).listen(53, address);
