import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, connect, type AddressInfo } from 'node:net';
import { test } from 'node:test';

import { toIp4 } from '../../src/addr/ip4.ts';
import { loadLibc } from '../../src/system/libc.ts';
import { openTcpListener } from '../../src/system/tcp-listener.ts';
import { boundPort } from '../../src/system/udp-socket.ts';

const libc = loadLibc();
const LOOPBACK = toIp4(0x7f000001);

test('connections are taken before anyone serves, and served when someone does', async (t) => {
  const fd = openTcpListener(libc, LOOPBACK, 0);
  const port = boundPort(libc, fd);
  const client = connect(port, '127.0.0.1');
  await once(client, 'connect');
  const server = createServer((socket) => socket.end('hello'));
  // Closes the descriptor with itself
  t.after(() => server.close());
  server.listen({ fd });
  const [bytes] = (await once(client, 'data')) as [Buffer];
  assert.equal(bytes.toString(), 'hello');
  client.destroy();
});

test('a port in use is refused by name, and nothing stays open', async () => {
  const holder = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  const { port } = holder.address() as AddressInfo;
  const probe = libc.dup(0);
  libc.close(probe);
  assert.throws(() => openTcpListener(libc, LOOPBACK, port), { name: 'SystemCallError', code: 'EADDRINUSE' });
  const next = libc.dup(0);
  libc.close(next);
  assert.equal(next, probe, 'the descriptor of the failed one leaks');
  holder.close();
});

test('a port whose last connection is still in TIME_WAIT is had again at once', async () => {
  const fd = openTcpListener(libc, LOOPBACK, 0);
  const port = boundPort(libc, fd);
  const server = createServer((socket) => socket.end()).listen({ fd });
  const client = connect(port, '127.0.0.1');
  // The server's end closes first, so that it is the one to wait
  client.resume();
  await once(client, 'close');
  server.close();
  await once(server, 'close');
  libc.close(openTcpListener(libc, LOOPBACK, port));
});

test('an address of another machine is refused', () => {
  assert.throws(() => openTcpListener(libc, toIp4(0xc0000201), 0), { code: 'EADDRNOTAVAIL' });
});
