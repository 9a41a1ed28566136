import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { describe, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { parseIp4 } from '../../src/addr/ip4.ts';
import { loadLibc } from '../../src/system/libc.ts';
import { PeerSockets, type PeerSocket, type Received } from '../../src/system/peer-socket.ts';
import { CryptoBits } from '../../src/system/random-bits.ts';
import { boundPort } from '../../src/system/udp-socket.ts';

const LOOPBACK = parseIp4('127.0.0.1') ?? assert.fail();
const libc = loadLibc();

async function peer(context: TestContext): Promise<{ readonly socket: Socket; readonly port: number }> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  context.after(() => socket.close());
  return { socket, port: socket.address().port };
}

function open(context: TestContext, port: number): PeerSocket {
  const socket = new PeerSockets(libc).open(LOOPBACK, port);
  context.after(() => socket.close());
  return socket;
}

function send(socket: Socket, text: string, port: number): Promise<void> {
  return new Promise((resolve) => socket.send(text, port, '127.0.0.1', () => resolve()));
}

/** What is there after a moment. */
async function received(socket: PeerSocket): Promise<{ readonly kind: Received; readonly text: string }> {
  for (let tries = 0; tries < 200; tries++) {
    let text = '';
    const kind = socket.receive((bytes) => (text = bytes.toString()));
    if (kind !== 'nothing') return { kind, text };
    await sleep(5);
  }
  return { kind: 'nothing', text: '' };
}

describe('a socket for one peer', () => {
  test('asks it, and hears its answer', async (context) => {
    const { socket, port } = await peer(context);
    socket.on('message', (bytes, from) => socket.send(`${bytes.toString()} yourself`, from.port));
    const ours = open(context, port);
    assert.ok(ours.send(Buffer.from('hello')));
    assert.deepEqual(await received(ours), { kind: 'datagram', text: 'hello yourself' });
  });

  test('hears nobody else', async (context) => {
    const [friend, stranger] = [await peer(context), await peer(context)];
    const ours = open(context, friend.port);
    const port = boundPort(libc, ours.fd);
    await send(stranger.socket, 'forged', port);
    await send(friend.socket, 'true', port);
    assert.deepEqual(await received(ours), { kind: 'datagram', text: 'true' });
    assert.equal(
      ours.receive(() => assert.fail('the stranger was heard')),
      'nothing',
    );
  });

  test('hears that nobody listens', async (context) => {
    const gone = createSocket('udp4');
    gone.bind(0, '127.0.0.1');
    await once(gone, 'listening');
    const { port } = gone.address();
    await new Promise<void>((resolve) => gone.close(() => resolve()));
    const ours = open(context, port);
    ours.send(Buffer.from('hello'));
    assert.equal((await received(ours)).kind, 'refused');
  });

  test('loses what is longer than anything asked for', async (context) => {
    const { socket, port } = await peer(context);
    const ours = open(context, port);
    socket.send(Buffer.alloc(5000, 1), boundPort(libc, ours.fd), '127.0.0.1');
    socket.send('short', boundPort(libc, ours.fd), '127.0.0.1');
    assert.deepEqual(await received(ours), { kind: 'datagram', text: '' });
    assert.deepEqual(await received(ours), { kind: 'datagram', text: 'short' });
  });

  test('has a port that the last one does not foretell', (context) => {
    const ports = Array.from({ length: 64 }, () => boundPort(libc, open(context, 53).fd));
    const steps = ports.slice(1).map((port, i) => Math.abs(port - (ports[i] ?? 0)));
    assert.ok(new Set(ports).size === 64);
    assert.ok(steps.filter((step) => step > 100).length > 40, ports.join(' '));
  });
});

test('random bits fill their range', () => {
  const bits = new CryptoBits();
  const seen = Array.from({ length: 10_000 }, () => bits.uint16());
  assert.ok(new Set(seen).size > 9000);
  assert.ok(seen.every((value) => Number.isInteger(value) && value >= 0 && value <= 0xffff));
  assert.ok(Math.min(...seen) < 100 && Math.max(...seen) > 65_400);
});
