/*
 * `canned-server.ts poll|dgram`: answers every DNS query on a port of its own with one canned A record, through this
 * project's sockets or through node:dgram. Prints the port; at end of input, its CPU seconds.
 */
import { createSocket } from 'node:dgram';
import { fstatSync, readSync } from 'node:fs';

import { parseIp4, type Ip4 } from '../../src/addr/ip4.ts';
import { systemClock } from '../../src/system/clock.ts';
import { loadLibc } from '../../src/system/libc.ts';
import { PollLoop } from '../../src/system/poll-loop.ts';
import { UdpSockets } from '../../src/system/udp-socket.ts';

/** Pointer to the question's name, A, IN, 30 s, 192.0.2.1. */
const RECORD = Buffer.from('c00c000100010000001e0004c0000201', 'hex');
const reply = new Uint8Array(1232);

/** The query's id, flags and question with one record behind. */
function answer(query: Uint8Array): Uint8Array {
  let end = 12;
  while (end < query.length && query[end] !== 0) end += (query[end] ?? 0) + 1;
  end += 5;
  reply.set(query.subarray(0, end));
  reply.set([0x85, 0x00, 0, 1, 0, 1, 0, 0, 0, 0], 2);
  reply.set(RECORD, end);
  return reply.subarray(0, end + RECORD.length);
}

function finish(): void {
  const { user, system } = process.cpuUsage();
  console.log(((user + system) / 1e6).toFixed(3));
}

function serveByPoll(): void {
  const libc = loadLibc();
  const loop = new PollLoop(libc, systemClock);
  const sockets = new UdpSockets(libc);
  const address = parseIp4('127.0.0.1') ?? (0 as Ip4);
  const { socket, fd, port } = sockets.open({ address, port: 0, receiveBuffer: 4 << 20, sendBuffer: 4 << 20 });
  loop.watch(fd, () => {
    socket.receive(({ bytes, source, sourcePort, destination }) => {
      socket.send(answer(bytes), { address: source, port: sourcePort, source: destination });
    });
    socket.flush();
  });
  const stdin = 0;
  fstatSync(stdin);
  loop.watch(stdin, () => {
    if (readSync(stdin, Buffer.alloc(16)) === 0) loop.stop();
  });
  console.log(port);
  loop.run();
  finish();
}

function serveByDgram(): void {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20, sendBufferSize: 4 << 20 });
  socket.on('message', (bytes, { address, port }) => socket.send(Uint8Array.from(answer(bytes)), port, address));
  socket.bind(0, '127.0.0.1', () => console.log(socket.address().port));
  process.stdin.resume().on('end', () => {
    socket.close();
    finish();
  });
}

if (process.argv[2] === 'poll') serveByPoll();
else serveByDgram();
