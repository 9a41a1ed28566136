import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { parseIp4, type Ip4 } from '../../src/addr/ip4.ts';
import { systemClock } from '../../src/system/clock.ts';
import { loadLibc } from '../../src/system/libc.ts';
import { PollLoop } from '../../src/system/poll-loop.ts';
import type { Stream, StreamHandler } from '../../src/system/stream.ts';
import { openTcpListener } from '../../src/system/tcp-listener.ts';
import { TcpStreams } from '../../src/system/tcp-streams.ts';
import { boundPort } from '../../src/system/udp-socket.ts';

const libc = loadLibc();
const [HOME, SECOND] = ['127.0.0.1', '127.0.0.2'].map((text) => parseIp4(text)) as [Ip4, Ip4];
/** Far above what the kernel keeps for both sides of a connection. */
const MUCH = 24 * 1024 * 1024;

interface Ground {
  readonly loop: PollLoop;
  readonly streams: TcpStreams;
  readonly port: number;
  /** Runs until `done`; a test that hangs is told so. */
  readonly until: (done: () => boolean) => void;
}

/** A listener whose connections get `server`, and a loop for both ends. */
function ground(t: TestContext, server: StreamHandler, onAccept: (stream: Stream) => void = () => undefined): Ground {
  const loop = new PollLoop(libc, systemClock);
  const streams = new TcpStreams(libc, loop);
  const listener = openTcpListener(libc, HOME, 0);
  loop.watch(listener, () => {
    const accepted = streams.accept(listener);
    if (typeof accepted !== 'string') onAccept(streams.adopt(accepted, server));
  });
  t.after(() => (libc.close(listener), loop.close()));
  const until = (done: () => boolean): void => {
    const late = loop.after(10_000, () => assert.fail('nothing more happens'));
    const look = (): void => (done() ? loop.stop() : void loop.after(1, look));
    loop.after(0, look);
    loop.run();
    late.cancel();
  };
  return { loop, streams, port: boundPort(libc, listener), until };
}

/** Notes all that is told, and does what it is given beside. */
function heard(over: Partial<StreamHandler> = {}): StreamHandler & { readonly log: string[]; bytes: number } {
  const log: string[] = [];
  const note = {
    log,
    bytes: 0,
    connected: (stream: Stream) => (log.push('connected'), over.connected?.(stream)),
    received: (bytes: Buffer, stream: Stream) => {
      note.bytes += bytes.length;
      if (bytes.length < 100) log.push(bytes.toString());
      over.received?.(bytes, stream);
    },
    ended: (stream: Stream) => (log.push('ended'), over.ended?.(stream)),
    settled: (stream: Stream) => over.settled?.(stream),
    drained: (stream: Stream) => (log.push('drained'), over.drained?.(stream)),
    closed: (stream: Stream, error?: string) => (
      log.push(`closed ${error ?? ''}`.trim()),
      over.closed?.(stream, error)
    ),
  };
  return note;
}

test('what is written arrives, both ways, and both ends are over when both have ended', (t) => {
  const server = heard({
    received: (_bytes, stream) => (stream.write(Buffer.from('one ')), stream.write(Buffer.from('two'))),
    ended: (stream) => stream.end(),
  });
  const { streams, port, until } = ground(t, server);
  const client = heard({ received: (_bytes, stream) => stream.end() });
  streams.connect({ address: HOME, port }, client).write(Buffer.from('hello'));
  until(() => client.log.includes('closed') && server.log.includes('closed'));
  assert.deepEqual(server.log, ['hello', 'ended', 'closed']);
  // Both writes of one handling came as one
  assert.deepEqual(client.log, ['connected', 'drained', 'one two', 'ended', 'closed']);
});

test('a connection comes from the address that was asked for', (t) => {
  const loop = new PollLoop(libc, systemClock);
  const streams = new TcpStreams(libc, loop);
  const listener = openTcpListener(libc, HOME, 0);
  const stream = streams.connect({ address: HOME, port: boundPort(libc, listener), source: SECOND }, heard());
  t.after(() => (stream.close(), libc.close(listener), loop.close()));
  const accepted = streams.accept(listener);
  assert.ok(typeof accepted !== 'string');
  assert.equal(accepted.address, SECOND);
  streams.refuse(accepted);
  assert.equal(streams.accept(listener), 'EAGAIN');
});

test('a peer that does not read: what it was sent waits here, is told as drained, and arrives whole', (t) => {
  const sent = Buffer.alloc(MUCH, 'x');
  const server = heard();
  const { streams, port, until } = ground(t, server, (stream) => {
    stream.hand(sent);
    stream.write(Buffer.from('the end'));
    stream.end();
  });
  const client = heard();
  const stream = streams.connect({ address: HOME, port }, client);
  stream.pause();
  until(() => client.log.includes('connected'));
  assert.deepEqual([server.log, client.bytes], [[], 0]);
  stream.resume();
  until(() => client.log.includes('ended'));
  assert.equal(client.bytes, MUCH + 'the end'.length);
  assert.deepEqual(server.log, ['drained']);
});

test('small pieces for a peer that does not read keep their order, and it is told what waits', (t) => {
  const waits: number[] = [];
  const server = heard({ settled: (stream) => waits.push(stream.buffered) });
  const pieces = Array.from({ length: 5000 }, (_piece, i) => Buffer.from(`${i} `));
  const { streams, port, until } = ground(t, server, (stream) => {
    stream.hand(Buffer.alloc(MUCH, 'x'));
    pieces.forEach((piece, i) => (i % 2 ? stream.write(piece) : stream.hand(piece)));
    stream.end();
  });
  const got: Buffer[] = [];
  const client = heard({ received: (bytes) => got.push(Buffer.from(bytes)) });
  streams.connect({ address: HOME, port }, client);
  until(() => client.log.includes('ended'));
  assert.ok(Buffer.concat(got).subarray(MUCH).equals(Buffer.concat(pieces)));
  assert.equal(waits.at(-1), 0);
  assert.deepEqual(
    waits,
    waits.toSorted((a, b) => b - a),
  );
});

test('bytes that are written as a copy may change at once', (t) => {
  const bytes = Buffer.alloc(MUCH / 4, 'a');
  const { streams, port, until } = ground(t, heard(), (stream) => {
    for (let i = 0; i < 4; i++) stream.write(bytes);
    bytes.fill('b');
    stream.end();
  });
  let wrong = 0;
  const client = heard({ received: (got) => (wrong += Number(got.includes('b'))) });
  streams.connect({ address: HOME, port }, client);
  until(() => client.log.includes('ended'));
  assert.deepEqual([client.bytes, wrong], [MUCH, 0]);
});

test('more than can be gathered keeps its order', (t) => {
  const parts = Array.from({ length: 5 }, (_part, i) => Buffer.alloc(40_000, String(i)));
  const server = heard({
    received: (_bytes, stream) => {
      for (const part of parts) stream.write(part);
      stream.hand(Buffer.from('handed'));
      stream.write(Buffer.alloc(90_000, 'large'));
      stream.end();
    },
  });
  const { streams, port, until } = ground(t, server);
  const got: Buffer[] = [];
  const client = heard({ received: (bytes) => got.push(Buffer.from(bytes)) });
  streams.connect({ address: HOME, port }, client).write(Buffer.from('go'));
  until(() => client.log.includes('ended'));
  assert.ok(Buffer.concat(got).equals(Buffer.concat([...parts, Buffer.from('handed'), Buffer.alloc(90_000, 'large')])));
});

test('a reset is heard as one, by who reads and by who has stopped reading', (t) => {
  for (const isPaused of [false, true]) {
    const server = heard();
    const { streams, port, until } = ground(t, server, (stream) => isPaused && stream.pause());
    const client = heard({ connected: (stream) => (stream.write(Buffer.from('lost')), stream.reset()) });
    streams.connect({ address: HOME, port }, client);
    until(() => server.log.includes('closed ECONNRESET'));
    assert.deepEqual(client.log, ['connected']);
  }
});

test('writing to who has gone is told later, and once', (t) => {
  const server = heard({ ended: (stream) => stream.write(Buffer.from('x')) });
  const accepted: Stream[] = [];
  const { streams, port, until, loop } = ground(t, server, (stream) => accepted.push(stream));
  streams.connect({ address: HOME, port }, heard({ connected: (stream) => stream.close() }));
  // The first write is answered by a reset, the second fails
  until(() => server.log.includes('ended'));
  loop.after(5, () => accepted[0]?.write(Buffer.from('y')));
  until(() => server.log.length > 1);
  assert.match(server.log[1] ?? '', /^closed (EPIPE|ECONNRESET)$/);
  assert.equal(server.log.length, 2);
});

const hopeless: readonly [string, (streams: TcpStreams, handler: StreamHandler) => Stream, string][] = [
  ['where nobody listens', (streams, handler) => streams.connect({ address: HOME, port: 1 }, handler), 'ECONNREFUSED'],
  [
    'from an address that is not ours',
    (streams, handler) => streams.connect({ address: HOME, port: 1, source: parseIp4('192.0.2.1') as Ip4 }, handler),
    'EADDRNOTAVAIL',
  ],
  ['a socket file that is not there', (streams, handler) => streams.connectUnix('/nowhere.sock', handler), 'ENOENT'],
  ['a path that is too long', (streams, handler) => streams.connectUnix('/x'.repeat(60), handler), 'ENAMETOOLONG'],
];

for (const [name, connect, error] of hopeless) {
  test(`a connection to ${name} is told as closed, later`, (t) => {
    const { streams, until } = ground(t, heard());
    const client = heard();
    const stream = connect(streams, client);
    stream.write(Buffer.from('into the void'));
    assert.deepEqual(client.log, []);
    until(() => client.log.length > 0);
    assert.deepEqual(client.log, [`closed ${error}`]);
    assert.equal(stream.buffered, 0);
  });
}

test('a stream that was closed hears nothing more', (t) => {
  const { streams, until, loop } = ground(t, heard(), (stream) => stream.write(Buffer.from('hello')));
  const client = heard({ received: (_bytes, stream) => stream.close() });
  const stream = streams.connect({ address: HOME, port: 1 }, heard());
  stream.close();
  const { port } = ground(t, heard());
  streams.connect({ address: HOME, port }, client);
  until(() => client.log.includes('connected'));
  let passed = false;
  loop.after(10, () => (passed = true));
  until(() => passed);
  assert.ok(!client.log.some((line) => line.startsWith('closed')));
});

test('a unix socket is connected to, as any other', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'rackboot-stream-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'tunnel');
  const server = heard({ received: (_bytes, stream) => stream.write(Buffer.from('answer')) });
  const { streams, until, loop } = ground(t, server);
  const listener = listenUnix(path);
  t.after(() => libc.close(listener));
  loop.watch(listener, () => {
    const accepted = streams.accept(listener);
    if (typeof accepted !== 'string') streams.adopt(accepted, server);
  });
  const client = heard({ received: (_bytes, stream) => stream.close() });
  streams.connectUnix(path, client).write(Buffer.from('question'));
  until(() => server.log.includes('ended'));
  assert.deepEqual(client.log, ['connected', 'drained', 'answer']);
});

function listenUnix(path: string): number {
  const fd = libc.socket(1, 1 | 0o2000000 | 0o4000, 0);
  const address = Buffer.from(`..${path}\0`);
  address.writeUInt16LE(1, 0);
  assert.equal(libc.bind(fd, address, address.length), 0);
  assert.equal(libc.listen(fd, 5), 0);
  return fd;
}
