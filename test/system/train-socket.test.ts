import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import { parseIp4, type Ip4 } from '../../src/addr/ip4.ts';
import { LONGEST_TRAIN, type TrainSocket } from '../../src/system/datagram.ts';
import { loadLibc } from '../../src/system/libc.ts';
import { UdpSockets } from '../../src/system/udp-socket.ts';

/** On the loopback interface, where what was sent is in the receiver's queue when the call returns. */
const sockets = new UdpSockets(loadLibc());
const HOME = ip4('127.0.0.1');

function ip4(text: string): Ip4 {
  const address = parseIp4(text);
  assert.ok(address !== undefined);
  return address;
}

class Receiver {
  readonly port: number;
  readonly #socket;

  constructor(t: TestContext) {
    const { socket, port } = sockets.open({ address: HOME, port: 0, receiveBuffer: 4 << 20 });
    t.after(() => socket.close());
    this.port = port;
    this.#socket = socket;
  }

  heard(): string[] {
    const heard: string[] = [];
    while (this.#socket.receive(({ bytes }) => heard.push(Buffer.from(bytes).toString())) > 0);
    return heard;
  }
}

function open(t: TestContext): TrainSocket {
  const { socket } = sockets.openForTrains({ address: HOME, port: 0 });
  t.after(() => socket.close());
  return socket;
}

function send(socket: TrainSocket, text: string, segment: number, port: number): void {
  const at = socket.room(text.length);
  socket.buffer.set(Buffer.from(text), at);
  socket.send(text.length, segment, { address: HOME, port });
}

test('a train arrives as packets of its segment, the last one shorter', (t) => {
  const [socket, receiver] = [open(t), new Receiver(t)];
  send(socket, 'aaaabbbbcc', 4, receiver.port);
  assert.deepEqual(receiver.heard(), []);
  assert.equal(socket.flush(), 0);
  assert.deepEqual(receiver.heard(), ['aaaa', 'bbbb', 'cc']);
});

test('trains and single packets to several receivers leave with one flush', (t) => {
  const [socket, one, two] = [open(t), new Receiver(t), new Receiver(t)];
  send(socket, 'aabb', 2, one.port);
  send(socket, 'single', 6, two.port);
  send(socket, 'cccddd', 3, one.port);
  assert.equal(socket.flush(), 0);
  assert.deepEqual(one.heard(), ['aa', 'bb', 'ccc', 'ddd']);
  assert.deepEqual(two.heard(), ['single']);
});

test('a packet that follows a train in the same place of the batch is no train', (t) => {
  const [socket, receiver] = [open(t), new Receiver(t)];
  send(socket, 'aabb', 2, receiver.port);
  socket.flush();
  send(socket, 'cccc', 4, receiver.port);
  socket.flush();
  assert.deepEqual(receiver.heard(), ['aa', 'bb', 'cccc']);
});

test('what does not fit the queue is sent before, in order', (t) => {
  const [socket, receiver] = [open(t), new Receiver(t)];
  const texts = Array.from({ length: 500 }, (_, index) => `${index}`.padEnd(1400, '.'));
  for (const text of texts) send(socket, text, text.length, receiver.port);
  assert.equal(socket.flush(), 0);
  assert.deepEqual(receiver.heard(), texts);
});

test('two sockets of a thread take turns, and each sends its own', (t) => {
  const [first, second, receiver] = [open(t), open(t), new Receiver(t)];
  send(first, 'one', 3, receiver.port);
  send(second, 'two', 3, receiver.port);
  send(first, 'three', 5, receiver.port);
  first.flush();
  assert.deepEqual(receiver.heard(), ['one', 'two', 'three']);
});

test('the longest train of 64 packets arrives whole', (t) => {
  const [socket, receiver] = [open(t), new Receiver(t)];
  send(socket, 'x'.repeat(64 * 1000), 1000, receiver.port);
  assert.equal(socket.flush(), 0);
  assert.equal(receiver.heard().length, 64);
});

test('room for more than the longest train is refused', (t) => {
  assert.throws(() => open(t).room(LONGEST_TRAIN + 1), RangeError);
});

test('a train to an address that can not be reached is counted, and what follows it is sent', (t) => {
  const [socket, receiver] = [open(t), new Receiver(t)];
  const at = socket.room(4);
  socket.buffer.set(Buffer.from('lost'), at);
  // Not from a loopback address
  socket.send(4, 2, { address: ip4('192.0.2.1'), port: 9 });
  send(socket, 'aabb', 2, receiver.port);
  assert.equal(socket.flush(), 2);
  assert.deepEqual(receiver.heard(), ['aa', 'bb']);
});
