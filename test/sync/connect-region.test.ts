import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createSecureServer, type ServerHttp2Stream } from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test, type TestContext } from 'node:test';

import { connectRegion } from '../../src/sync/connect-region.ts';
import type { RegionTrust } from '../../src/plan/plan.ts';
import { RegionFault } from '../../src/sync/region-fault.ts';
import type { Question, Transport } from '../../src/sync/transport.ts';
import { Authority, type Issued } from '../fixtures/certificate.ts';

const directory = mkdtempSync(join(tmpdir(), 'rackboot-connect-'));
after(() => rmSync(directory, { recursive: true }));

const authority = new Authority();
const LOOPBACK = [127, 0, 0, 1];
const issued = authority.issue(LOOPBACK);
const expired = authority.issue(LOOPBACK, 'rack', new Date('2021-01-01'));
const ca = join(directory, 'ca.pem');
writeFileSync(ca, authority.cert);

const MOST = 64 * 1024;
const QUESTION: Question = { method: 'GET', path: '/x?a=1', within: 10_000, most: MOST };

async function listen(t: TestContext, server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}

async function open(t: TestContext, url: string, trust: RegionTrust = { ca }): Promise<Transport> {
  const transport = await connectRegion(url, trust);
  t.after(() => transport.close());
  return transport;
}

function faultOf(asked: Promise<unknown>): Promise<string> {
  return asked.then(
    () => 'an answer',
    (error: unknown) =>
      error instanceof RegionFault ? `${error.kind}: ${error.message}` : `not a RegionFault: ${String(error)}`,
  );
}

function pinOf({ cert }: Issued): string {
  const spki = new X509Certificate(cert).publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(spki).digest('hex');
}

/** What a region of each kind is built from, and how many connections it is to take. */
const KINDS = [
  ['plain HTTP', 'http', 2, (answer: Answering) => createHttpServer(answer)],
  ['HTTPS', 'https', 2, (answer: Answering) => createHttpsServer(issued, answer)],
  ['HTTP/2', 'https', 1, (answer: Answering) => createSecureServer({ ...issued, allowHTTP1: true }, answer as never)],
] as const;
type Answering = Parameters<typeof createHttpServer>[1] & object;

type Region = (t: TestContext, answer: Answering) => Promise<{ transport: Transport; server: Server }>;

/** A region that answers so. */
function regionOf(create: (answer: Answering) => unknown, scheme: string): Region {
  return async (t, answer) => {
    const server = create(answer) as Server;
    const port = await listen(t, server);
    return { server, transport: await open(t, `${scheme}://127.0.0.1:${port}`) };
  };
}

for (const [kind, scheme, connections, create] of KINDS) {
  describe(`over ${kind}`, () => {
    const region = regionOf(create, scheme);

    test(`what is asked and said gets there, over ${connections === 1 ? 'one connection' : 'two connections at most'}`, async (t) => {
      let seen = 0;
      const heard: string[] = [];
      const { transport, server } = await region(t, (request, response) => {
        let body = '';
        request.on('data', (chunk: Buffer) => (body += chunk.toString()));
        request.on('end', () => {
          heard.push(
            [request.method, request.url, request.headers.authorization, request.headers['content-type'], body].join(
              ' ',
            ),
          );
          response.writeHead(201, { 'retry-after': '7' });
          setTimeout(() => response.end(`{"echo":${JSON.stringify(body)}}`), 5);
        });
      });
      server.on(scheme === 'http' ? 'connection' : 'secureConnection', () => seen++);
      const says = { ...QUESTION, method: 'POST', body: '{"ü":1}', authorization: 'Bearer x' } as const;
      const answers = await Promise.all(Array.from({ length: 6 }, () => transport.ask(says)));
      for (const answer of answers)
        assert.deepEqual(answer, { status: 201, text: '{"echo":"{\\"ü\\":1}"}', retryAfter: 7 });
      assert.deepEqual(await transport.ask(QUESTION), { status: 201, text: '{"echo":""}', retryAfter: 7 });
      assert.equal(heard[0], 'POST /x?a=1 Bearer x application/json {"ü":1}');
      assert.equal(heard.at(-1), 'GET /x?a=1   ');
      assert.ok(seen <= connections, `${seen} connections`);
      assert.equal(transport.isOpen, true);
    });

    test('a redirect is an answer like any other: nobody goes there', async (t) => {
      const asked: (string | undefined)[] = [];
      const { transport } = await region(t, (request, response) => {
        asked.push(request.url);
        response.writeHead(302, { location: '/elsewhere' }).end();
      });
      assert.equal((await transport.ask(QUESTION)).status, 302);
      assert.deepEqual(asked, ['/x?a=1']);
    });

    test('an answer without an end is cut off where it is too long', async (t) => {
      let sent = 0;
      const { transport } = await region(t, (_request, response) => {
        const more = (): void => {
          while (!response.destroyed && !response.writableEnded) {
            sent += MOST;
            if (!response.write('x'.repeat(MOST))) break;
          }
        };
        response.on('drain', more);
        response.on('error', () => undefined);
        more();
      });
      assert.equal(await faultOf(transport.ask(QUESTION)), `away: answers more than ${MOST} bytes`);
      assert.ok(sent < 16 * 2 ** 20, `${sent} bytes sent`);
    });

    test('an answer that does not come, or stops on the way, is not waited for longer than it may take', async (t) => {
      const { transport } = await region(t, (request, response) => {
        if (request.url === '/part') response.write('{');
      });
      for (const path of ['/none', '/part']) {
        assert.equal(
          await faultOf(transport.ask({ ...QUESTION, path, within: 80 })),
          'away: no whole answer in 0.08 s',
        );
      }
    });

    test('bytes that are no text are no answer', async (t) => {
      const { transport } = await region(t, (_request, response) => response.end(Buffer.from([0xff, 0xfe, 0x00])));
      assert.equal(await faultOf(transport.ask(QUESTION)), 'away: answers what is no text');
    });

    test('headers without an end are an error, and no memory', async (t) => {
      const { transport } = await region(t, (_request, response) => {
        const many = Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`x-${i}`, 'x'.repeat(1_000)]));
        response.writeHead(200, many).end('{}');
      });
      assert.match(await faultOf(transport.ask({ ...QUESTION, within: 3_000 })), /^away: /);
    });

    test('a connection that is cut under a question is a fault, and the next question has another', async (t) => {
      const { transport, server } = await region(t, (request) => request.socket.destroy());
      assert.match(await faultOf(transport.ask(QUESTION)), /^away: /);
      server.close();
    });

    test('closing cuts off what is asked', async (t) => {
      const { transport } = await region(t, () => undefined);
      const fault = faultOf(transport.ask(QUESTION));
      await new Promise((resolve) => setImmediate(resolve));
      transport.close();
      assert.match(await fault, /^away: /);
    });
  });
}

test('a connection that was closed for want of use costs no answer', async (t) => {
  let connections = 0;
  const server = createHttpServer((_request, response) => response.end('{}'));
  server.on('connection', () => connections++);
  const port = await listen(t, server);
  const transport = await open(t, `http://127.0.0.1:${port}`);
  for (let round = 1; round <= 3; round++) {
    await Promise.all([transport.ask(QUESTION), transport.ask(QUESTION)]);
    server.closeIdleConnections();
  }
  assert.ok(connections >= 4, `${connections}`);
});

test('a server that says nothing for ever, or garbage, is no region', async (t) => {
  const silent = await listen(t, createTcpServer());
  const transport = await open(t, `http://127.0.0.1:${silent}`);
  assert.equal(await faultOf(transport.ask({ ...QUESTION, within: 60 })), 'away: no whole answer in 0.06 s');
  const garbage = createTcpServer((socket) => {
    socket.on('error', () => undefined);
    socket.end('SSH-2.0-OpenSSH_9.2\r\n\r\n');
  });
  const port = await listen(t, garbage);
  assert.match(await faultOf((await open(t, `http://127.0.0.1:${port}`)).ask(QUESTION)), /^away: Parse Error/);
  assert.match(await faultOf(connectRegion(`https://127.0.0.1:${port}`, {})), /^away: /);
});

test('headers that come for ever end when there is no more time for them', async (t) => {
  const server = createTcpServer((socket) => {
    socket.on('error', () => undefined);
    socket.write('HTTP/1.1 200 OK\r\n');
    const timer = setInterval(() => socket.write('x: y\r\n'), 5);
    socket.on('close', () => clearInterval(timer));
  });
  const transport = await open(t, `http://127.0.0.1:${await listen(t, server)}`);
  assert.equal(await faultOf(transport.ask({ ...QUESTION, within: 100 })), 'away: no whole answer in 0.1 s');
});

const TRUSTS: readonly (readonly [who: string, certificate: Issued, trust: RegionTrust, fault: RegExp | undefined])[] =
  [
    ['one that the CA vouches for', issued, { ca }, undefined],
    ['one that nobody vouches for', issued, {}, /^away: .*(?:unable to verify|self-signed|issuer)/i],
    ['one whose time is over', expired, { ca }, /^away: certificate has expired.*the clock of this rack says 20\d\d-/],
    ['one of another name', authority.issueFor('region.test'), { ca }, /^away: .*(?:altnames|Alt Names)/i],
    ['one with the key that is pinned', issued, { pins: ['0'.repeat(64), pinOf(issued)] }, undefined],
    ['one with the key that is pinned, whose time is over', expired, { pins: [pinOf(expired)] }, undefined],
    [
      'one with another key than is pinned',
      issued,
      { pins: [pinOf(expired)] },
      /^away: it has the public key [0-9a-f]{64}, which is not pinned$/,
    ],
    [
      'one with another key than is pinned, although the CA vouches for it',
      issued,
      { ca, pins: [pinOf(expired)] },
      /which is not pinned$/,
    ],
    [
      'one where the file of CAs is gone',
      issued,
      { ca: join(directory, 'nowhere.pem') },
      /^away: region\.ca can't be read: ENOENT/,
    ],
  ];
for (const [who, certificate, trust, fault] of TRUSTS) {
  test(`${who} is ${fault ? 'no region, and hears nothing of ours' : 'the region'}`, async (t) => {
    let bytes = 0;
    const server = createHttpsServer(certificate, (_request, response) => response.end('{}'));
    server.on('secureConnection', (socket: Socket) => socket.on('data', ({ length }: Buffer) => (bytes += length)));
    const url = `https://127.0.0.1:${await listen(t, server)}`;
    if (!fault) {
      assert.equal((await (await open(t, url, trust)).ask(QUESTION)).text, '{}');
      return;
    }
    assert.match(await faultOf(connectRegion(url, trust)), fault);
    assert.equal(bytes, 0);
  });
}

test('nobody there is a fault at once', async (t) => {
  const server = createTcpServer();
  const port = await listen(t, server);
  server.close();
  const transport = await open(t, `http://127.0.0.1:${port}`);
  assert.match(await faultOf(transport.ask(QUESTION)), /^away: connect ECONNREFUSED 127\.0\.0\.1/);
  assert.match(await faultOf(connectRegion(`https://127.0.0.1:${port}`, { ca })), /^away: connect ECONNREFUSED/);
});

test('a region that says good-bye in HTTP/2 is asked over another connection', async (t) => {
  const server = createSecureServer(issued);
  server.on('stream', (stream: ServerHttp2Stream) => {
    stream.respond({ ':status': 200 });
    stream.end('{}');
    stream.session?.goaway();
  });
  const transport = await open(t, `https://127.0.0.1:${await listen(t, server)}`);
  assert.equal((await transport.ask(QUESTION)).status, 200);
  for (let turn = 0; transport.isOpen && turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(transport.isOpen, false);
});
