import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { fstatSync } from 'node:fs';
import { test, type TestContext } from 'node:test';

import { formatIp4, LIMITED_BROADCAST, parseIp4, UNSPECIFIED, type Ip4 } from '../../src/addr/ip4.ts';
import { BATCH, INBOX, type DatagramSocket, type Inbound } from '../../src/system/datagram.ts';
import { loadLibc } from '../../src/system/libc.ts';
import { boundPort, openUdp, UdpSockets, type UdpOptions } from '../../src/system/udp-socket.ts';

/** All on the loopback interface, where a datagram is in the receiver's queue when the call that sent it returns. */
const libc = loadLibc();
const LOOPBACK_INDEX = libc.if_nametoindex('lo');
const sockets = new UdpSockets(libc);
const [HOME, SECOND] = ['127.0.0.1', '127.0.0.2'].map(ip4) as [Ip4, Ip4];

type Received = Omit<Inbound, 'bytes'> & { readonly bytes: Buffer };

function ip4(text: string): Ip4 {
  const address = parseIp4(text);
  assert.ok(address !== undefined);
  return address;
}

function open(t: TestContext, options: Partial<UdpOptions> = {}): { socket: DatagramSocket; fd: number; port: number } {
  const opened = sockets.open({ address: HOME, port: 0, ...options });
  t.after(() => opened.socket.close());
  return opened;
}

function receiveAll(socket: DatagramSocket): Received[] {
  const received: Received[] = [];
  while (socket.receive((datagram) => received.push({ ...datagram, bytes: Buffer.from(datagram.bytes) })) > 0);
  return received;
}

function texts(received: readonly Received[]): string[] {
  return received.map(({ bytes }) => bytes.toString());
}

test('a datagram arrives with where it came from, where it went and by which interface', (t) => {
  const [server, client] = [open(t, { address: UNSPECIFIED }), open(t)];
  client.socket.send(Buffer.from('hello'), { address: SECOND, port: server.port });
  assert.equal(client.socket.flush(), 0);
  assert.deepEqual(receiveAll(server.socket), [
    {
      bytes: Buffer.from('hello'),
      source: HOME,
      sourcePort: client.port,
      destination: SECOND,
      ifindex: LOOPBACK_INDEX,
    },
  ]);
});

test('a receive with nothing waiting returns 0 at once', (t) => {
  assert.equal(
    open(t).socket.receive(() => assert.fail('nothing was sent')),
    0,
  );
});

test('a reply leaves from the address and the interface it was told to', (t) => {
  const [server, client] = [open(t, { address: UNSPECIFIED }), open(t)];
  const to = { address: HOME, port: client.port };
  server.socket.send(Buffer.from('chosen'), { ...to, source: SECOND });
  server.socket.send(Buffer.from('by interface'), { ...to, ifindex: LOOPBACK_INDEX });
  server.socket.send(Buffer.from('both'), { ...to, source: SECOND, ifindex: LOOPBACK_INDEX });
  server.socket.send(Buffer.from('neither'), to);
  assert.equal(server.socket.flush(), 0);
  assert.deepEqual(
    receiveAll(client.socket).map(({ bytes, source }) => `${bytes.toString()}: ${formatIp4(source)}`),
    ['chosen: 127.0.0.2', 'by interface: 127.0.0.1', 'both: 127.0.0.2', 'neither: 127.0.0.1'],
  );
});

for (const count of [BATCH - 1, BATCH + 1, INBOX - 1, INBOX, INBOX + 1, 2 * INBOX]) {
  test(`${count} datagrams all arrive, in order, at most ${INBOX} at a time`, (t) => {
    const [server, client] = [open(t, { receiveBuffer: 1 << 20 }), open(t)];
    const sent = Array.from({ length: count }, (_, at) => `datagram ${at}`);
    for (const text of sent) client.socket.send(Buffer.from(text), { address: HOME, port: server.port });
    assert.equal(client.socket.flush(), 0);
    const batch: string[] = [];
    const size = server.socket.receive(({ bytes }) => batch.push(Buffer.from(bytes).toString()));
    assert.equal(size, Math.min(count, INBOX));
    assert.deepEqual([...batch, ...texts(receiveAll(server.socket))], sent);
  });
}

test('datagrams of every length up to the largest arrive as they were', (t) => {
  const [server, client] = [open(t, { receiveBuffer: 1 << 20 }), open(t)];
  for (const length of [0, 1, 2, 3, 511, 512, 1472, 2047, 2048]) {
    const bytes = Buffer.from(Uint8Array.from({ length }, (_, at) => (at * 31 + length) & 255));
    client.socket.send(bytes, { address: HOME, port: server.port });
    client.socket.flush();
    const [received, ...more] = receiveAll(server.socket);
    assert.deepEqual(received?.bytes, bytes);
    assert.deepEqual(more, []);
  }
});

test('a datagram longer than 2048 bytes is lost whole, not cut, and the ones around it are not', async (t) => {
  const server = open(t);
  const client = createSocket('udp4');
  t.after(() => client.close());
  for (const bytes of [Buffer.from('before'), Buffer.alloc(2049, 'x'), Buffer.alloc(9000, 'x'), Buffer.from('after')]) {
    await new Promise((resolve) => client.send(bytes, server.port, '127.0.0.1', resolve));
  }
  const received: string[] = [];
  assert.equal(
    server.socket.receive(({ bytes }) => received.push(Buffer.from(bytes).toString())),
    4,
  );
  assert.deepEqual(received, ['before', 'after']);
});

test('a datagram too long to send is refused to the caller, and what was queued still goes out', (t) => {
  const [server, client] = [open(t), open(t)];
  client.socket.send(Buffer.from('queued'), { address: HOME, port: server.port });
  assert.throws(() => client.socket.send(Buffer.alloc(2049), { address: HOME, port: server.port }), RangeError);
  client.socket.flush();
  assert.deepEqual(texts(receiveAll(server.socket)), ['queued']);
});

test('the caller may use its buffer again as soon as send returns', (t) => {
  const [server, client] = [open(t), open(t)];
  const buffer = Buffer.alloc(3);
  for (const text of ['one', 'two', 'six']) {
    buffer.write(text);
    client.socket.send(buffer, { address: HOME, port: server.port });
  }
  client.socket.flush();
  assert.deepEqual(texts(receiveAll(server.socket)), ['one', 'two', 'six']);
});

test('a message the kernel refuses is counted and skipped, wherever in the batch it stands', (t) => {
  const [server, client] = [open(t), open(t)];
  const good = { address: HOME, port: server.port };
  const forbidden = { address: LIMITED_BROADCAST, port: server.port };
  const foreign = { ...good, source: ip4('192.0.2.1') };
  for (const [text, to] of [
    ['no 1', forbidden],
    ['yes 1', good],
    ['no 2', foreign],
    ['no 3', forbidden],
    ['yes 2', good],
    ['yes 3', good],
    ['no 4', forbidden],
  ] as const) {
    client.socket.send(Buffer.from(text), to);
  }
  assert.equal(client.socket.flush(), 4);
  assert.equal(client.socket.flush(), 0);
  assert.deepEqual(texts(receiveAll(server.socket)), ['yes 1', 'yes 2', 'yes 3']);
});

test('refusals of a batch that was sent because it was full are told at the next flush', (t) => {
  const client = open(t);
  for (let i = 0; i < BATCH + 1; i++) client.socket.send(Buffer.from('x'), { address: LIMITED_BROADCAST, port: 9 });
  assert.equal(client.socket.flush(), BATCH + 1);
});

test('the options of one message do not rub off on the next that uses its place', (t) => {
  const [server, client] = [open(t, { address: UNSPECIFIED }), open(t)];
  const to = { address: HOME, port: client.port };
  server.socket.send(Buffer.from('long and from another address'), { ...to, source: SECOND });
  server.socket.flush();
  server.socket.send(Buffer.from('short'), to);
  server.socket.flush();
  assert.deepEqual(
    receiveAll(client.socket).map(({ bytes, source }) => `${bytes.toString()}: ${formatIp4(source)}`),
    ['long and from another address: 127.0.0.2', 'short: 127.0.0.1'],
  );
});

test('two sockets that take turns on one queue each send their own', (t) => {
  const [server, one, two] = [open(t), open(t), open(t)];
  const to = { address: HOME, port: server.port };
  for (let i = 0; i < 3; i++) {
    one.socket.send(Buffer.from(`one ${i}`), to);
    two.socket.send(Buffer.from(`two ${i}`), to);
  }
  two.socket.flush();
  const received = receiveAll(server.socket).map(({ bytes, sourcePort }) => [bytes.toString(), sourcePort]);
  const expected = [0, 1, 2].flatMap((i) => [
    [`one ${i}`, one.port],
    [`two ${i}`, two.port],
  ]);
  assert.deepEqual(received, expected);
});

test('closing sends what is queued, once, and gives the descriptor back, once', (t) => {
  const server = open(t);
  const client = sockets.open({ address: HOME, port: 0 });
  client.socket.send(Buffer.from('last words'), { address: HOME, port: server.port });
  client.socket.close();
  assert.deepEqual(texts(receiveAll(server.socket)), ['last words']);
  assert.throws(() => fstatSync(client.fd), { code: 'EBADF' });
  const heir = open(t);
  assert.equal(heir.fd, client.fd, 'the number is used again');
  client.socket.close();
  assert.ok(fstatSync(heir.fd));
});

test('an adopted socket stays its opener’s', (t) => {
  const fd = openUdp(libc, { address: HOME, port: 0 });
  t.after(() => libc.close(fd));
  const adopted = sockets.adopt(fd);
  const client = open(t);
  client.socket.send(Buffer.from('hello'), { address: HOME, port: boundPort(libc, fd) });
  client.socket.flush();
  assert.deepEqual(texts(receiveAll(adopted)), ['hello']);
  adopted.close();
  assert.ok(fstatSync(fd));
});

test('a port in use is refused by name, and nothing stays open', (t) => {
  const { port } = open(t);
  const probe = libc.dup(0);
  libc.close(probe);
  assert.throws(() => openUdp(libc, { address: HOME, port }), { name: 'SystemCallError', code: 'EADDRINUSE' });
  const next = libc.dup(0);
  libc.close(next);
  assert.equal(next, probe, 'the descriptor of the failed one leaks');
});

const REFUSED: readonly (readonly [title: string, options: Partial<UdpOptions>, code: string])[] = [
  ['an address of another machine', { address: ip4('192.0.2.1') }, 'EADDRNOTAVAIL'],
  ['an interface that is not there', { interface: 'no-such-one' }, 'ENODEV'],
];

for (const [title, options, code] of REFUSED) {
  test(`${title} is refused with ${code}`, () => {
    assert.throws(() => openUdp(libc, { address: HOME, port: 0, ...options }), { name: 'SystemCallError', code });
  });
}

test('with reusePort two sockets share a port, without it they do not', (t) => {
  const { port } = open(t, { reusePort: true });
  assert.equal(open(t, { port, reusePort: true }).port, port);
  assert.throws(() => openUdp(libc, { address: HOME, port }), { code: 'EADDRINUSE' });
});

test('a socket bound to an interface hears what comes in there', (t) => {
  const [server, client] = [open(t, { address: UNSPECIFIED, interface: 'lo' }), open(t)];
  client.socket.send(Buffer.from('hello'), { address: HOME, port: server.port });
  client.socket.flush();
  assert.deepEqual(texts(receiveAll(server.socket)), ['hello']);
});

test('broadcasting is for those who asked for it', (t) => {
  const [quiet, loud] = [open(t, { address: UNSPECIFIED }), open(t, { address: UNSPECIFIED, broadcast: true })];
  const to = { address: LIMITED_BROADCAST, port: 9, ifindex: LOOPBACK_INDEX };
  quiet.socket.send(Buffer.from('x'), to);
  assert.equal(quiet.socket.flush(), 1);
  loud.socket.send(Buffer.from('x'), to);
  assert.equal(loud.socket.flush(), 0);
});

test('a socket of Node and one of ours understand each other', async (t) => {
  const server = open(t);
  const client = createSocket('udp4');
  t.after(() => client.close());
  client.bind(0, '127.0.0.1');
  await once(client, 'listening');
  const answer = once(client, 'message');
  server.socket.send(Buffer.from('hello'), { address: HOME, port: client.address().port });
  server.socket.flush();
  const [bytes, from] = (await answer) as [Buffer, { address: string; port: number }];
  assert.deepEqual([bytes.toString(), from.address, from.port], ['hello', '127.0.0.1', server.port]);
});
