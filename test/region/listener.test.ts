import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectHttp2, constants, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { describe, test } from 'node:test';

import { MOST_BODY } from '../../src/contract/paths.ts';
import { formatAuthorization } from '../../src/contract/rack-key.ts';
import { order } from '../../src/region/answer/publish.ts';
import { openEmptyDatabase } from './empty-database.ts';
import { PATIENCE } from '../../src/region/listener.ts';
import { Authority } from '../fixtures/certificate.ts';
import { RegionRig } from './region-rig.ts';

const ADDRESS = [127, 0, 0, 1];
const authority = new Authority();
const issued = authority.issue(ADDRESS);
const pair = { cert: Buffer.from(issued.cert), key: Buffer.from(issued.key) };
/** Short enough that no test waits for long. */
const HASTY = { head: 100, request: 200, idle: 300, grace: 2_000 };
/** In a hurry with who takes nothing, and with nothing else. */
const UNREAD = { ...HASTY, head: 5_000, request: 5_000 };

interface Answer {
  readonly status: unknown;
  readonly body: string;
}

async function ask(session: ClientHttp2Session, headers: IncomingHttpHeaders, body?: string): Promise<Answer> {
  const stream = session.request(headers);
  if (body === undefined) stream.end();
  else stream.end(body);
  const [head] = (await once(stream, 'response')) as [IncomingHttpHeaders];
  const chunks = await stream.setEncoding('utf8').toArray();
  return { status: head[':status'], body: chunks.join('') };
}

/** What is heard until the other side ends. */
async function untilEnd(socket: Socket): Promise<string> {
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  socket.on('error', () => undefined);
  await once(socket, 'close');
  return text;
}

describe('the listener of a region', { timeout: 60_000 }, () => {
  test('a rack needs one connection: what it tells passes by the question that waits', async () => {
    await using region = await RegionRig.create(await openEmptyDatabase(), {}, pair);
    const rack = await region.enrol('rack-a1');
    const authorization = formatAuthorization(rack);
    const session = connectHttp2(region.url, { ca: authority.cert });
    const waiting = ask(session, { ':path': '/racks/v1/plan?after=1&wait=60', authorization });
    const batch = JSON.stringify({
      stream: randomUUID(),
      sentAt: 1,
      records: [{ number: 1, at: 1, kind: 'dhcp.ack' }],
    });
    const headers = {
      ':method': 'POST',
      ':path': '/racks/v1/events',
      authorization,
      'content-type': 'application/json',
    };
    assert.deepEqual(await ask(session, headers, batch), { status: 200, body: '{"kept":1}' });
    await region.database.transaction((sql) => order(sql, [rack.rack], 'scan'));
    assert.deepEqual(await waiting, { status: 200, body: '{"version":2,"config":{},"orders":{"scan":1}}' });
    assert.equal((await ask(session, { ':path': '/racks/v1/plan' })).status, 401);
    session.close();
    assert.equal((await region.ask('GET', '/racks/v1/plan', { authorization })).status, 200);
  });

  test('a certificate that is renewed is for connections from then on', async () => {
    await using region = await RegionRig.create(await openEmptyDatabase(), {}, pair);
    const session = connectHttp2(region.url, { ca: authority.cert });
    await once(session, 'connect');
    const next = authority.issue(ADDRESS, 'renewed');
    region.region.renewCertificate({ cert: Buffer.from(next.cert), key: Buffer.from(next.key) });
    assert.equal((await ask(session, { ':path': '/' })).status, 404);
    session.close();
    const socket = connectTls({ port: Number(new URL(region.url).port), host: '127.0.0.1', ca: authority.cert });
    await once(socket, 'secureConnect');
    assert.equal(socket.getPeerCertificate().subject.CN, 'renewed');
    socket.destroy();
  });

  test('as it ends, who waits has an answer, and what is under way comes to its end', async () => {
    const rig = await RegionRig.create(await openEmptyDatabase(), {}, pair);
    const rack = await rig.enrol('rack-a1');
    const authorization = formatAuthorization(rack);
    const session = connectHttp2(rig.url, { ca: authority.cert });
    const waiting = ask(session, { ':path': '/racks/v1/plan?after=1&wait=60', authorization });
    const headers = {
      ':method': 'POST',
      ':path': '/racks/v1/events',
      authorization,
      'content-type': 'application/json',
    };
    const records = Array.from({ length: 2_000 }, (_, i) => ({ number: i + 1, at: 1, kind: 'dhcp.ack' }));
    const told = ask(session, headers, JSON.stringify({ stream: randomUUID(), sentAt: 1, records }));
    // Both are under way by now
    await ask(session, { ':path': '/racks/v1/plan', authorization });
    await rig[Symbol.asyncDispose]();
    assert.equal((await waiting).status, 204);
    assert.deepEqual(await told, { status: 200, body: '{"kept":2000}' });
  });

  for (const [title, secure, words, said] of [
    ['a head that does not end', false, 'GET /racks/v1/plan HTTP/1.1\r\nhost: a\r\nx: y', /^HTTP\/1.1 408 /],
    ['no head at all', false, '', /^$|^HTTP\/1.1 408 /],
    [
      'a body that does not end',
      false,
      `POST /racks/v1/enrol HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{`,
      /^HTTP\/1.1 408 /,
    ],
    ['no handshake', true, '', /^$/],
  ] as const) {
    test(`who has ${title} is cut off`, async () => {
      await using region = await RegionRig.create(
        await openEmptyDatabase(),
        { patience: HASTY },
        secure ? pair : undefined,
      );
      const socket = connect(Number(new URL(region.url).port), '127.0.0.1');
      socket.write(words);
      assert.match(await untilEnd(socket), said);
    });
  }

  test('a session of HTTP/2 that asks for nothing is cut off, and so is a body that does not end there', async () => {
    await using region = await RegionRig.create(await openEmptyDatabase(), { patience: HASTY }, pair);
    const idle = connectHttp2(region.url, { ca: authority.cert });
    idle.on('error', () => undefined);
    await once(idle, 'close');
    const slow = connectHttp2(region.url, { ca: authority.cert });
    const headers = { ':method': 'POST', ':path': '/racks/v1/enrol', 'content-type': 'application/json' };
    const stream = slow.request(headers);
    stream.write('{');
    const [head] = (await once(stream, 'response')) as [IncomingHttpHeaders];
    assert.equal(head[':status'], 408);
    stream.close();
    slow.close();
  });

  for (const [title, secure] of [
    ['HTTP', false],
    ['HTTP/1.1 within TLS', true],
  ] as const) {
    test(`who asks by ${title} and takes nothing of the answers is cut off`, async () => {
      await using region = await RegionRig.create(
        await openEmptyDatabase(),
        { patience: UNREAD },
        secure ? pair : undefined,
      );
      const port = Number(new URL(region.url).port);
      const socket = secure
        ? connectTls({ port, host: '127.0.0.1', ca: authority.cert, ALPNProtocols: ['http/1.1'] })
        : connect(port, '127.0.0.1');
      socket.pause().on('error', () => undefined);
      // More than all that is between the two holds: some of it is still to be sent when the region ends it
      socket.write('GET /MAAS/api/2.0/describe/ HTTP/1.1\r\nhost: a\r\n\r\n'.repeat(200_000));
      await new Promise((resolve) => socket.once('close', resolve));
    });
  }

  test('who asks by HTTP/2 and takes nothing of the answer has that stream cut off', async () => {
    await using region = await RegionRig.create(await openEmptyDatabase(), { patience: UNREAD }, pair);
    const session = connectHttp2(region.url, { ca: authority.cert, settings: { initialWindowSize: 0 } });
    session.on('error', () => undefined);
    const stream = session.request({ ':path': '/MAAS/api/2.0/describe/' });
    stream.on('error', () => undefined);
    await once(stream, 'close');
    assert.equal(stream.rstCode, constants.NGHTTP2_CANCEL);
    session.destroy();
  });

  test('a body of HTTP/2 that nobody wants is not waited for, and what else goes on there is not disturbed', async () => {
    await using region = await RegionRig.create(await openEmptyDatabase(), {}, pair);
    const rack = await region.enrol('rack-a1');
    const authorization = formatAuthorization(rack);
    // What is on its way to the region counts on this side as well
    const session = connectHttp2(region.url, { ca: authority.cert, maxSessionMemory: 64 });
    const events = { ':method': 'POST', ':path': '/racks/v1/events', authorization };
    const waiting = ask(session, { ':path': '/racks/v1/plan?after=1&wait=60', authorization });
    for (const [status, headers, length] of [
      [413, { ...events, 'content-type': 'application/json' }, MOST_BODY + 1],
      [415, { ...events, 'content-type': 'text/plain' }, MOST_BODY],
      [415, { ...events, 'content-type': 'application/json', 'content-encoding': 'gzip' }, 1],
      [401, { ...events, authorization: 'Bearer x', 'content-type': 'application/json' }, MOST_BODY],
    ] as const) {
      const stream = session.request(headers);
      stream.on('error', () => undefined);
      stream.end(Buffer.alloc(length, ' '));
      const [head] = (await once(stream, 'response')) as [IncomingHttpHeaders];
      assert.equal(head[':status'], status);
      stream.resume();
      await once(stream, 'close');
    }
    await region.database.transaction((sql) => order(sql, [rack.rack], 'scan'));
    assert.equal((await waiting).status, 200);
    session.close();
  });

  test('a rack waits between two questions for less than the region waits for it', () => {
    assert.ok(PATIENCE.idle > PATIENCE.request);
  });
});
