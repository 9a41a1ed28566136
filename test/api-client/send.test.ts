import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { test } from 'node:test';

import { NoAnswer, send, type SendLimits, type WireRequest } from '../../src/api-client/send.ts';
import type { Trust } from '../../src/system/trusted-connection.ts';
import { Authority, type Issued } from '../fixtures/certificate.ts';

const LIMITS: SendLimits = { connecting: 5_000, silence: 5_000, whole: 5_000, bytes: 1_000 };

/** A server that does to each connection what it is told, and what it was sent. */
class OddServer implements AsyncDisposable {
  readonly url: URL;
  received = '';
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  static async start(serve: (socket: Socket) => void, issued?: Issued): Promise<OddServer> {
    const server = issued ? createTlsServer(issued) : createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    return new OddServer(server, serve, new URL(`${issued ? 'https' : 'http'}://127.0.0.1:${port}`), issued);
  }

  private constructor(server: Server, serve: (socket: Socket) => void, url: URL, issued: Issued | undefined) {
    this.#server = server;
    this.url = url;
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
    });
    server.on(issued ? 'secureConnection' : 'connection', (socket: Socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (chunk) => (this.received += String(chunk)));
      socket.once('data', () => serve(socket));
    });
  }

  ask(trust: Trust = {}, limits: Partial<SendLimits> = {}, changed: Partial<WireRequest> = {}) {
    const request = { url: this.url, trust, method: 'GET', path: '/x/?op=y', headers: {}, ...changed };
    return send(request, { ...LIMITS, ...limits });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

const says =
  (text: string) =>
  (socket: Socket): void =>
    void socket.end(text);
const GOOD = 'HTTP/1.1 201 So be it\r\nContent-Type: text/plain\r\nX-MAAS-API-Hash: abc\r\nX: 1\r\nX: 2\r\n\r\nhello';

test('a request goes as it is, and a reply comes back as it is', async () => {
  await using server = await OddServer.start(says(GOOD));
  const headers = { authorization: 'OAuth x', 'content-length': 3 };
  const reply = await server.ask({}, {}, { method: 'PUT', headers, body: Buffer.from('a=b') });
  assert.deepEqual(
    [reply.status, reply.reason, reply.type, reply.header('x-maas-api-hash')],
    [201, 'So be it', 'text/plain', 'abc'],
  );
  assert.equal(Buffer.from(reply.body).toString('utf8'), 'hello');
  assert.deepEqual(reply.headers.slice(-2), [
    ['x', '1'],
    ['x', '2'],
  ]);
  assert.match(
    server.received,
    /^PUT \/x\/\?op=y HTTP\/1\.1\r\nhost: 127\.0\.0\.1:\d+\r\naccept-encoding: identity\r\nauthorization: OAuth x\r\ncontent-length: 3\r\nConnection: close\r\n\r\na=b$/,
  );
});

test('a redirect is a reply, and nobody goes there', async () => {
  await using elsewhere = await OddServer.start(says(GOOD));
  await using server = await OddServer.start(says(`HTTP/1.1 302 Found\r\nLocation: ${elsewhere.url.href}\r\n\r\n`));
  const reply = await server.ask();
  assert.deepEqual([reply.status, reply.header('location')], [302, elsewhere.url.href]);
  assert.equal(elsewhere.received, '');
});

const HEAD = 'HTTP/1.1 200 OK\r\n';
const ODD: readonly (readonly [
  title: string,
  serve: (socket: Socket) => void,
  limits: Partial<SendLimits>,
  clause: RegExp,
])[] = [
  ['that cuts the connection', (socket) => socket.destroy(), {}, /the connection was cut$|socket hang up$/],
  ['that cuts it within a body', says(`${HEAD}Content-Length: 9\r\n\r\nabc`), {}, /the connection was cut$|aborted$/],
  ['that speaks something else', says('220 mail.example ESMTP\r\n'), {}, /it does not answer in HTTP \(HPE_\w+\)$/],
  [
    'whose head has no end',
    says(`${HEAD}x: ${'y'.repeat(100_000)}`),
    {},
    /it does not answer in HTTP \(HPE_HEADER_OVERFLOW\)$/,
  ],
  ['that says too much', says(`${HEAD}\r\n${'y'.repeat(1_001)}`), {}, /it says more than 1000 bytes$/],
  [
    'that packs what it says',
    says(`${HEAD}Content-Encoding: gzip\r\n\r\nx`),
    {},
    /its answer is packed, which was not asked for$/,
  ],
  ['that is silent', () => undefined, { silence: 50 }, /nothing came for 0\.05 s$/],
  [
    'that is silent within a body',
    (socket) => socket.write(`${HEAD}\r\nabc`),
    { silence: 50 },
    /nothing came for 0\.05 s$/,
  ],
  [
    'that says a byte now and then',
    (socket) => {
      socket.write(`${HEAD}\r\n`);
      const timer = setInterval(() => socket.write('.'), 10);
      socket.once('close', () => clearInterval(timer));
    },
    { silence: 1_000, whole: 200 },
    /no whole answer in 0\.2 s$/,
  ],
];
for (const [title, serve, limits, clause] of ODD) {
  test(`a server ${title} is told of in a sentence`, async () => {
    await using server = await OddServer.start(serve);
    await assert.rejects(server.ask({}, limits), (error) => {
      assert.ok(error instanceof NoAnswer);
      assert.ok(error.message.startsWith(`${server.url.origin}: `));
      assert.match(error.message, clause);
      return true;
    });
  });
}

test('nobody at an address is told of', async () => {
  const server = await OddServer.start(says(GOOD));
  await server[Symbol.asyncDispose]();
  await assert.rejects(server.ask(), (error) => error instanceof NoAnswer && /ECONNREFUSED/.test(error.message));
});

const authority = new Authority();
const issued = authority.issue([127, 0, 0, 1]);
const pinOf = (cert: string): string =>
  createHash('sha256')
    .update(new X509Certificate(cert).publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');
const expired = authority.issue([127, 0, 0, 1], 'rack', new Date('2021-01-01'));
const TRUSTED: readonly (readonly [title: string, trust: Trust, issued: Issued])[] = [
  ['a certificate that ours vouches for', { ca: authority.cert }, issued],
  ['a public key that is pinned, whoever vouches for it', { pins: ['00'.repeat(32), pinOf(issued.cert)] }, issued],
  ['a pinned key in a certificate that is over', { pins: [pinOf(expired.cert)] }, expired],
];
for (const [title, trust, pair] of TRUSTED) {
  test(`${title} is believed`, async () => {
    await using server = await OddServer.start(says(GOOD), pair);
    assert.equal((await server.ask(trust)).status, 201);
  });
}

const DOUBTED: readonly (readonly [title: string, trust: Trust, issued: Issued, clause: RegExp])[] = [
  ['a certificate that nobody vouches for', {}, issued, /UNABLE_TO_VERIFY_LEAF_SIGNATURE|SELF_SIGNED/],
  ['one of another authority', { ca: new Authority().cert }, issued, /certificate/],
  ['one for another host', { ca: authority.cert }, authority.issueFor('other.example'), /ERR_TLS_CERT_ALTNAME_INVALID/],
  ['one that is over', { ca: authority.cert }, expired, /CERT_HAS_EXPIRED/],
  [
    'a public key that is not the pinned one',
    { pins: ['00'.repeat(32)] },
    issued,
    /public key [0-9a-f]{64}, which is not pinned$/,
  ],
  ['an authority where a pin says more', { ca: authority.cert, pins: ['00'.repeat(32)] }, issued, /is not pinned$/],
];
for (const [title, trust, pair, clause] of DOUBTED) {
  test(`${title} is not believed, and is sent nothing`, async () => {
    await using server = await OddServer.start(says(GOOD), pair);
    await assert.rejects(server.ask(trust), (error) => error instanceof NoAnswer && clause.test(error.message));
    assert.equal(server.received, '');
  });
}
