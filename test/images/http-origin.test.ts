import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { after, describe, test } from 'node:test';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { setDefaultCACertificates } from 'node:tls';

import { HttpOrigin } from '../../src/images/http-origin.ts';
import { readWhole } from '../../src/images/origin.ts';
import { Authority } from '../fixtures/certificate.ts';

const NEVER = new AbortController().signal;

test('a proxy is asked for the whole URL, and nobody else', async () => {
  const asked: string[] = [];
  const proxy = createServer((request: IncomingMessage, response) => {
    asked.push(request.url ?? '');
    response.end('from the proxy');
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const { port } = proxy.address() as AddressInfo;
  const origin = new HttpOrigin({ base: new URL('http://mirror.invalid/images/'), proxy: `http://127.0.0.1:${port}` });
  try {
    const bytes = await readWhole(origin, 'streams/v1/com.ubuntu:x.json', 100, NEVER);
    assert.equal(Buffer.from(bytes ?? []).toString(), 'from the proxy');
    assert.deepEqual(asked, ['http://mirror.invalid/images/streams/v1/com.ubuntu%3Ax.json']);
  } finally {
    origin.close();
    proxy.close();
    proxy.closeAllConnections();
  }
});

interface Answer {
  readonly status?: number;
  readonly location?: string;
  readonly length?: number;
  /** Bytes come so often, a thousand at a time. */
  readonly every?: number;
}

/** A server that answers each question with the next of these; `sent`: bytes of bodies that went into sockets. */
async function server(answers: readonly Answer[]) {
  let sent = 0;
  const asked: string[] = [];
  let connections = 0;
  const running = createServer((request, response) => {
    const { status = 200, location, length, every } = answers[asked.length] ?? {};
    asked.push(request.url ?? '');
    response.writeHead(status, {
      ...(location !== undefined && { location }),
      ...(length !== undefined && { 'content-length': length }),
    });
    if (every === undefined) {
      response.end('x'.repeat(length ?? 1));
      return;
    }
    const timer = setInterval(() => {
      response.write('x'.repeat(1_000));
      sent += 1_000;
    }, every);
    response.on('close', () => clearInterval(timer));
  });
  running.on('connection', () => connections++);
  running.listen(0, '127.0.0.1');
  await once(running, 'listening');
  const { port } = running.address() as AddressInfo;
  return {
    asked,
    base: new URL(`http://127.0.0.1:${port}/`),
    sent: () => sent,
    connections: () => connections,
    [Symbol.dispose]: () => {
      running.close();
      running.closeAllConnections();
    },
  };
}

test('the body of a refusal that has no end is not read: its connection is closed', async () => {
  using mirror = await server([{ status: 404, every: 1 }, {}]);
  const origin = new HttpOrigin({ base: mirror.base });
  await assert.rejects(origin.open('a', { from: 0, signal: NEVER }), { message: /answers 404$/ });
  await readWhole(origin, 'b', 10, NEVER);
  assert.equal(mirror.connections(), 2);
  const before = mirror.sent();
  await delay(50);
  assert.equal(mirror.sent(), before);
  origin.close();
});

test('a redirect is followed, whatever else comes with it', async () => {
  for (const how of [{ length: 100 }, { length: 10_000_000 }, { every: 1 }]) {
    using mirror = await server([{ status: 302, location: '/b', ...how }, {}]);
    const origin = new HttpOrigin({ base: mirror.base });
    await readWhole(origin, 'a', 10, NEVER);
    assert.deepEqual(mirror.asked, ['/a', '/b']);
    origin.close();
  }
});

for (const [what, location] of [
  ['a file of this machine', 'file:///etc/shadow'],
  ['another kind of server', 'ftp://127.0.0.1/x'],
  ['a name and a password', 'http://root:secret@127.0.0.1/x'],
  ['no URL at all', 'http://['],
] as const) {
  test(`a redirect to ${what} is refused, and not followed`, async () => {
    using mirror = await server([{ status: 301, location }, {}]);
    const origin = new HttpOrigin({ base: mirror.base });
    await assert.rejects(origin.open('a', { from: 0, signal: NEVER }), {
      name: 'TransferError',
      message: /\/a: redirects to what is not fetched: /,
    });
    assert.equal(mirror.asked.length, 1);
    origin.close();
  });
}

test('a file that is shorter than what came of it already is told as that', async () => {
  using mirror = await server([{ status: 416 }]);
  const origin = new HttpOrigin({ base: mirror.base });
  const fault = { name: 'TransferError', mayPass: false, message: `${mirror.base.href}a: ends before byte 7` };
  await assert.rejects(origin.open('a', { from: 7, signal: NEVER }), fault);
  origin.close();
});

test('a place beside an answer that is no redirect is not gone to', async () => {
  using mirror = await server([{ status: 304, location: '/b' }, {}]);
  const origin = new HttpOrigin({ base: mirror.base });
  await assert.rejects(origin.open('a', { from: 0, signal: NEVER }), { message: /\/a: answers 304$/ });
  origin.close();
});

test('from https nobody is led to http', async () => {
  const plain = createServer((_request, response) => response.end('x'));
  plain.listen(0, '127.0.0.1');
  await once(plain, 'listening');
  const { port } = plain.address() as AddressInfo;
  const authority = new Authority();
  setDefaultCACertificates([authority.cert]);
  const secure = createSecureServer(authority.issue([127, 0, 0, 1]), (_request, response) => {
    response.writeHead(302, { location: `http://127.0.0.1:${port}/` }).end();
  });
  secure.listen(0, '127.0.0.1');
  await once(secure, 'listening');
  const base = new URL(`https://127.0.0.1:${(secure.address() as AddressInfo).port}/`);
  const origin = new HttpOrigin({ base });
  try {
    await assert.rejects(origin.open('a', { from: 0, signal: NEVER }), { message: /redirects to what is not fetched/ });
  } finally {
    origin.close();
    plain.close();
    secure.close();
    secure.closeAllConnections();
  }
});

test('a tunnel that a proxy never ends to build is given up, and its password is not told', async () => {
  const sockets: Socket[] = [];
  const proxy = createTcpServer((socket) => {
    sockets.push(socket);
    const timer = setInterval(() => socket.write('x'), 10);
    socket.on('error', () => undefined).on('close', () => clearInterval(timer));
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const { port } = proxy.address() as AddressInfo;
  const settings = { base: new URL('https://mirror.invalid/'), proxy: `http://root:secret@127.0.0.1:${port}` };
  const origin = new HttpOrigin({ ...settings, silenceMilliseconds: 100 });
  await assert.rejects(origin.open('a', { from: 0, signal: NEVER }), (error: Error) => {
    assert.equal(error.name, 'TransferError');
    assert.doesNotMatch(error.message, /secret/);
    return true;
  });
  origin.close();
  proxy.close();
  for (const socket of sockets) socket.destroy();
});

test('the time that its reader takes is not counted as the silence of a mirror', async () => {
  using mirror = await server([{ length: 2_000_000, every: 1 }]);
  const origin = new HttpOrigin({ base: mirror.base, silenceMilliseconds: 100 });
  const { chunks } = await origin.open('a', { from: 0, signal: NEVER });
  let waits = 0;
  for await (const _ of chunks) {
    await delay(250);
    if (++waits === 3) break;
  }
  assert.equal(waits, 3);
  origin.close();
});

test('a mirror that nobody is at may be there another time', async () => {
  const origin = new HttpOrigin({ base: new URL('http://127.0.0.1:9/') });
  await assert.rejects(origin.open('x', { from: 0, signal: NEVER }), { name: 'TransferError', mayPass: true });
  origin.close();
});

describe('a mirror whose certificate only its racks know', () => {
  const authority = new Authority();
  const issued = authority.issue([127, 0, 0, 1]);
  const directory = mkdtempSync(join(tmpdir(), 'rackboot-origin-'));
  const ca = join(directory, 'ca.pem');
  writeFileSync(ca, authority.cert);
  after(() => rmSync(directory, { recursive: true }));
  const pin = createHash('sha256')
    .update(new X509Certificate(issued.cert).publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');

  async function fetched(trust: { ca?: string; pins?: string[] } | undefined, location?: string): Promise<string> {
    const secure = createSecureServer(issued, (_request, response) => {
      if (location === undefined) response.end('bytes');
      else response.writeHead(302, { location }).end();
    });
    secure.listen(0, '127.0.0.1');
    await once(secure, 'listening');
    const base = new URL(`https://127.0.0.1:${(secure.address() as AddressInfo).port}/`);
    const origin = new HttpOrigin({ base, ...(trust && { trust }) });
    try {
      return Buffer.from((await readWhole(origin, 'a', 100, NEVER)) ?? []).toString();
    } catch (error) {
      return (error as Error).message;
    } finally {
      origin.close();
      secure.close();
      secure.closeAllConnections();
    }
  }

  const CASES: readonly (readonly [what: string, trust: { ca?: string; pins?: string[] } | undefined, said: RegExp])[] =
    [
      ['is fetched from by its authority', { ca }, /^bytes$/],
      ['is fetched from by its pin', { pins: [pin] }, /^bytes$/],
      ['is not where nothing is said of it', undefined, /certificate/],
      ['is not where another key is pinned', { pins: ['0'.repeat(64)] }, /not pinned/],
      ['is not where the authority can not be read', { ca: join(directory, 'none') }, /ENOENT/],
    ];
  for (const [what, trust, said] of CASES) test(what, async () => assert.match(await fetched(trust), said));

  test('leads nobody to another by that trust', async () => {
    const other = createSecureServer(issued, (_request, response) => response.end('x'));
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    try {
      assert.match(await fetched({ ca, pins: [pin] }, `https://127.0.0.1:${port}/`), /certificate/);
    } finally {
      other.close();
      other.closeAllConnections();
    }
  });
});
