import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, beforeEach, describe, test, type TestContext } from 'node:test';

import { toIp4 } from '../../src/addr/ip4.ts';
import type { Mac } from '../../src/addr/mac.ts';
import { createOperatorApi, serveOnPort, serveOnSocket, type ApiServer } from '../../src/rack/operator-api.ts';
import { statusOf } from '../../src/rack/status.ts';
import { checked, loadLibc } from '../../src/system/libc.ts';
import { openTcpListener } from '../../src/system/tcp-listener.ts';
import { boundPort } from '../../src/system/udp-socket.ts';
import type { RackEvent } from '../../src/timeline/event.ts';
import { event, NODE1, NODE2 } from '../timeline/event-fixture.ts';
import { FakeRack } from './fake-rack.ts';

const FILE = '/etc/rackboot/rackboot.yaml';
const libc = loadLibc();
const directory = mkdtempSync(join(tmpdir(), 'rackboot-api-'));
after(() => rmSync(directory, { recursive: true }));

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

type Target = { readonly socketPath: string } | { readonly port: number };

async function open(target: Target, path: string, method = 'GET'): Promise<IncomingMessage> {
  const outgoing = request({ ...target, path, method, agent: false }).end();
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  return response;
}

async function ask(target: Target, path: string, method?: string): Promise<Answer> {
  const response = await open(target, path, method);
  const body = (await response.setEncoding('utf8').toArray()).join('');
  return { status: response.statusCode ?? 0, type: response.headers['content-type'] ?? '', body };
}

function timesIn(body: string): number[] {
  return body.split('\n').flatMap((line) => (line === '' ? [] : [(JSON.parse(line) as RackEvent).at]));
}

describe('the operators’ plane', () => {
  const socketPath = join(directory, 'control.sock');
  let fake: FakeRack;
  let server: ApiServer;
  let testHooks = true;

  beforeEach(async (t) => {
    fake = new FakeRack();
    const app = createOperatorApi({ rack: fake.rack, config: FILE, testHooks });
    server = await serveOnSocket(app, socketPath);
    (t as TestContext).after(() => server.close());
  });

  test('tells how the rack is', async () => {
    const { status, type, body } = await ask({ socketPath }, '/status');
    assert.deepEqual([status, type], [200, 'application/json; charset=utf-8']);
    assert.deepEqual(JSON.parse(body), statusOf(fake.rack, FILE));
  });

  test('lists leases by address, with times people read', async () => {
    fake.leases.learn(
      [
        { address: toIp4(0xc000020b), mac: 0x525400000002 as Mac },
        { address: toIp4(0x0a000001), mac: 0x525400000001 as Mac, name: 'node1', expires: 1_700_000_000 },
      ],
      [],
    );
    assert.deepEqual(JSON.parse((await ask({ socketPath }, '/leases')).body), [
      { address: '10.0.0.1', mac: NODE1, name: 'node1', expires: '2023-11-14T22:13:20.000Z' },
      { address: '192.0.2.11', mac: NODE2 },
    ]);
  });

  const QUERIES: readonly (readonly [query: string, times: number[]])[] = [
    ['', [1, 2, 3]],
    [`?mac=${NODE1}`, [1, 3]],
    ['?mac=5254.0000.0001', [1, 3]],
    ['?kind=tftp', [3]],
    [`?kind=dhcp&mac=${NODE1}`, [1]],
    ['?limit=2', [2, 3]],
    ['?limit=0', []],
    ['?kind=nothing', []],
  ];

  for (const [query, times] of QUERIES) {
    test(`answers /events${query} with ${times.length} lines`, async () => {
      fake.timeline.append([event(1, NODE1), event(2, NODE2)]);
      fake.timeline.append([event(3, NODE1, { kind: 'tftp.refused', file: 'x', reason: 'y' })]);
      const { status, type, body } = await ask({ socketPath }, `/events${query}`);
      assert.deepEqual([status, type], [200, 'application/x-ndjson']);
      assert.deepEqual(timesIn(body), times);
    });
  }

  for (const query of [
    'mac=52:54',
    'mac=',
    'mac=a&mac=b',
    'limit=-1',
    'limit=1.5',
    'limit=x',
    'limit=100001',
    'limit=1&limit=2',
  ]) {
    test(`refuses /events?${query} and says what it expects`, async () => {
      const { status, body } = await ask({ socketPath }, `/events?${query}`);
      assert.equal(status, 400);
      assert.match(body, /^expected mac=\S+ and limit from 0 to 100000\n$/);
    });
  }

  test('lets operators follow: what has been, then what comes, of the machine they asked for', async () => {
    fake.timeline.append([event(1, NODE1), event(2, NODE2)]);
    const response = await open({ socketPath }, `/events?follow&mac=${NODE1}`);
    const lines = createInterface({ input: response })[Symbol.asyncIterator]();
    const next = async (): Promise<number> => (JSON.parse(String((await lines.next()).value)) as RackEvent).at;
    assert.equal(await next(), 1);
    fake.timeline.append([event(3, NODE2), event(4, NODE1)]);
    fake.timeline.append([event(5, NODE1)]);
    assert.deepEqual([await next(), await next()], [4, 5]);
    response.destroy();
  });

  /** Follows, and tells when the timeline has lost its follower. */
  async function follow(t: TestContext): Promise<{ response: IncomingMessage; left: Promise<unknown> }> {
    const news = new EventEmitter();
    const left = once(news, 'left', { signal: AbortSignal.timeout(5_000) });
    const original = fake.timeline.follow.bind(fake.timeline);
    t.mock.method(fake.timeline, 'follow', (follower: Parameters<typeof original>[0]) => {
      const stop = original(follower);
      return () => (stop(), news.emit('left'));
    });
    return { response: await open({ socketPath }, '/events?follow'), left };
  }

  test('forgets a follower that goes away', async (t) => {
    const { response, left } = await follow(t);
    response.destroy();
    await left;
    fake.timeline.append([event(1)]);
  });

  test('cuts off a follower that does not read, instead of keeping all that it has not read', async (t) => {
    const { response, left } = await follow(t);
    const long = event(1, undefined, { kind: 'dhcp.nak', reason: 'x'.repeat(100_000) });
    let batches = 0;
    const gone = left.then(() => 'gone');
    while ((await Promise.race([gone, turn()])) !== 'gone' && batches++ < 1_000) fake.timeline.append([long]);
    assert.ok(batches > 50 && batches < 1_000, `${batches} times 100 kB`);
    response.resume();
    await assert.rejects(once(response, 'end'), { code: 'ECONNRESET' });
  });

  test('reloads when told to and answers with what came of it', async () => {
    const { status, body } = await ask({ socketPath }, '/reload', 'POST');
    assert.equal(status, 200);
    assert.deepEqual(JSON.parse(body), statusOf(fake.rack, FILE).config);
    assert.equal(fake.reloads, 1);
  });

  test('makes a service fail for tests', async () => {
    assert.equal((await ask({ socketPath }, '/fail?service=tftp', 'POST')).status, 200);
    assert.deepEqual(fake.sent, [['tftp', { type: 'fail', reason: 'made to fail by a test' }]]);
    assert.equal((await ask({ socketPath }, '/fail?service=ntp', 'POST')).status, 404);
  });

  for (const [method, path] of [
    ['GET', '/'],
    ['GET', '/reload'],
    ['POST', '/status'],
    ['GET', '/constructor'],
  ] as const) {
    test(`knows no ${method} ${path}`, async () => {
      assert.equal((await ask({ socketPath }, path, method)).status, 404);
      assert.equal(fake.reloads, 0);
    });
  }

  describe('without test hooks', () => {
    before(() => {
      testHooks = false;
    });
    after(() => {
      testHooks = true;
    });

    test('makes nothing fail', async () => {
      assert.equal((await ask({ socketPath }, '/fail?service=tftp', 'POST')).status, 404);
      assert.deepEqual(fake.sent, []);
    });
  });
});

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

describe('the control socket', () => {
  const app = createOperatorApi({ rack: new FakeRack().rack, config: FILE, testHooks: false });
  let number = 0;
  let path: string;

  beforeEach(() => {
    path = join(directory, `run-${number++}`, 'control.sock');
  });

  /** What a killed rack leaves behind. */
  function leaveBehind(): void {
    const address = Buffer.concat([Buffer.from([1, 0]), Buffer.from(path)]);
    const fd = checked('socket', libc.socket(1, 1, 0));
    checked('bind', libc.bind(fd, address, address.length));
    libc.close(fd);
    assert.ok(statSync(path).isSocket());
  }

  test('is made with its directory, for owner and group, and taken away again', async () => {
    const server = await serveOnSocket(app, path);
    assert.equal(statSync(path).mode & 0o777, 0o660);
    server.close();
    assert.equal(existsSync(path), false);
  });

  test('takes the place of one that a killed rack left behind', async () => {
    (await serveOnSocket(app, path)).close();
    leaveBehind();
    const server = await serveOnSocket(app, path);
    assert.equal((await ask({ socketPath: path }, '/status')).status, 200);
    server.close();
  });

  test('is left to the rack that answers on it', async () => {
    const server = await serveOnSocket(app, path);
    await assert.rejects(serveOnSocket(app, path), { message: `${path}: another rackboot answers there` });
    assert.equal((await ask({ socketPath: path }, '/status')).status, 200);
    server.close();
  });

  test('does not take the place of a file that is no socket', async () => {
    (await serveOnSocket(app, path)).close();
    writeFileSync(path, 'precious');
    await assert.rejects(serveOnSocket(app, path), /expected a socket or nothing, found another kind of file/);
    assert.equal(readFileSync(path, 'utf8'), 'precious');
  });

  test('ends its followers when it is closed', async () => {
    const server = await serveOnSocket(app, path);
    const response = await open({ socketPath: path }, '/events?follow');
    const ended = once(response.resume(), 'close').catch(() => undefined);
    server.close();
    await ended;
  });
});

describe('the admin port', () => {
  const fake = new FakeRack();
  const app = createOperatorApi({ rack: fake.rack, config: FILE, testHooks: true });
  const address = toIp4(0x7f000001);

  test('answers questions and takes no orders', async (t) => {
    const port = freePort();
    const server = await serveOnPort(app, address, port);
    t.after(() => server.close());
    assert.equal((await ask({ port }, '/status')).status, 200);
    const refused = await ask({ port }, '/reload', 'POST');
    assert.deepEqual([refused.status, refused.body], [405, 'only GET here: changes go through the control socket\n']);
    assert.equal(fake.reloads, 0);
  });

  test('that is taken is reported', async (t) => {
    const fd = openTcpListener(libc, address, 0);
    t.after(() => libc.close(fd));
    await assert.rejects(serveOnPort(app, address, boundPort(libc, fd)), { code: 'EADDRINUSE' });
  });

  test('is free again after close, though someone is still connected', async () => {
    const port = freePort();
    const server = await serveOnPort(app, address, port);
    const idle = connect(port, '127.0.0.1');
    await once(idle, 'connect');
    server.close();
    await once(idle.resume(), 'close');
    (await serveOnPort(app, address, port)).close();
  });
});

function freePort(): number {
  const fd = openTcpListener(libc, toIp4(0x7f000001), 0);
  const port = boundPort(libc, fd);
  libc.close(fd);
  return port;
}
