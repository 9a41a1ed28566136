import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createHash, X509Certificate } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { Authority, type Issued } from '../fixtures/certificate.ts';
import { API_1_0, API_2_0, description, handler } from '../api-client/describe-fixture.ts';
import { ApiTerminal } from './api-terminal.ts';

const KEY = 'consumer:token:a-long-secret';

type Serve = (request: IncomingMessage, response: ServerResponse) => void;

/** A server as MAAS is one, that answers as it is told, once somebody logged in. */
class MaasServer implements AsyncDisposable {
  readonly url: string;
  /** What it says of itself, by version. */
  described: Readonly<Record<string, object>> = { '1.0': API_1_0, '2.0': API_2_0 };
  serve: Serve = (_request, response) => response.end();
  readonly #server: ReturnType<typeof createServer>;

  static async start(issued?: Issued): Promise<MaasServer> {
    const server = issued ? createSecureServer(issued) : createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new MaasServer(server, issued ? 'https' : 'http');
  }

  private constructor(server: ReturnType<typeof createServer>, scheme: string) {
    this.#server = server;
    this.url = `${scheme}://127.0.0.1:${(server.address() as { port: number }).port}/MAAS/api`;
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      const [, version = '', path = ''] = /^\/MAAS\/api\/([\d.]+)\/(.*)$/.exec(request.url ?? '') ?? [];
      const said = this.described[version] ?? {};
      response.setHeader('X-MAAS-API-Hash', String(Reflect.get(said, 'hash')));
      if (path === 'describe/') {
        response.setHeader('content-type', 'application/json').end(JSON.stringify(said));
      } else if (path === 'users/?op=whoami' || path === 'nodegroups/?op=list') response.end('{}');
      else this.serve(request, response);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

async function loggedIn(version = '1.0') {
  const server = await MaasServer.start();
  const terminal = new ApiTerminal();
  assert.equal((await terminal.say('login', 'lab', `${server.url}/${version}/`, KEY)).code, 0);
  return {
    server,
    terminal,
    async [Symbol.asyncDispose]() {
      terminal[Symbol.dispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

test('a server that is reached by another address keeps the key to itself', async () => {
  await using elsewhere = await loggedIn();
  await using here = await loggedIn();
  let asked = 0;
  elsewhere.server.serve = (_request, response) => void (asked++, response.end());
  here.server.serve = (_request, response) => response.writeHead(307, { location: elsewhere.server.url }).end();
  const { code, out, err } = await here.terminal.say('lab', 'boot-resources', 'import');
  assert.deepEqual([code, out, asked], [1, '', 0]);
  assert.equal(
    err,
    `307 Temporary Redirect: it is at ${elsewhere.server.url} now, where a login of its own is needed\n`,
  );
});

test('a description that is another one now is told of, and refresh takes it up', async () => {
  await using lab = await loggedIn();
  const { server, terminal } = lab;
  server.described = {
    '1.0': { ...description(handler('ZonesHandler', '/MAAS/api/1.0/zones/', ['read GET'])), hash: 'other' },
  };
  const before = await terminal.pipe('lab', 'networks', 'read');
  assert.deepEqual(before, {
    code: 0,
    out: '',
    err: `${server.url}/1.0/ has another API than at the login: \`rackboot api refresh\` learns what it can do now\n`,
  });
  assert.equal((await terminal.say('lab', 'zones', 'read')).code, 2);
  assert.deepEqual(await terminal.say('refresh'), { code: 0, out: '', err: '' });
  assert.deepEqual(await terminal.pipe('lab', 'zones', 'read'), { code: 0, out: '', err: '' });
});

test('a server that is gone keeps none of the others from being refreshed', async () => {
  await using lab = await loggedIn();
  const { server, terminal } = lab;
  const gone = await MaasServer.start();
  await terminal.say('login', 'gone', `${gone.url}/2.0/`, KEY);
  await terminal.say('login', 'new', `${server.url}/2.0/`, KEY);
  await gone[Symbol.asyncDispose]();
  server.described = { '1.0': API_1_0, '2.0': API_1_0 };
  await assert.rejects(terminal.say('refresh'), { name: 'UnreachableError' });
  assert.match((await terminal.say('new', '--help')).out, /node-groups/);
});

test('binary goes to a program to the byte, and to no terminal', async () => {
  await using lab = await loggedIn();
  const { server, terminal } = lab;
  const bytes = Buffer.from([0x1f, 0x8b, 0, 0xff]);
  server.serve = (_request, response) => response.end(bytes);
  const written: Uint8Array[] = [];
  await terminal.sayWith({ isTerminal: false, write: (chunk) => written.push(chunk) }, 'lab', 'networks', 'read');
  assert.deepEqual(Buffer.concat(written), bytes);
  assert.deepEqual(await terminal.say('lab', 'networks', 'read'), {
    code: 0,
    out: 'Success.\nMachine-readable output follows:\n',
    err: '4 bytes that are no text: send them to a file, or to a program\n',
  });
});

test('a server that says our key back, and moves cursors, gets neither on a terminal', async () => {
  await using lab = await loggedIn();
  const { server, terminal } = lab;
  server.serve = (request, response) => {
    response.statusMessage = 'Bad\u009b31m';
    response.statusCode = 400;
    response.end(`\u001b]0;x\u0007 ${request.headers.authorization ?? ''}`);
  };
  const { err } = await terminal.say('lab', 'networks', 'read', '--debug');
  assert.ok(err.includes('oauth_signature="%26(not shown)"'), err);
  assert.ok(!err.includes('a-long-secret'));
  assert.ok(!/[^\P{Cc}\n]/u.test(err), JSON.stringify(err));
});

test('what a server calls its things moves no cursor either', async () => {
  await using lab = await loggedIn();
  const { server, terminal } = lab;
  const doc =
    'Read\u001b[31m it.\r\nMore.\n\n:param os: Which\u202e one\n    of them.\n:type os: String\n:param x:\n\nAfter.';
  const actions = [{ name: 're\u0007ad', method: 'GET', op: 'a\u001b', doc }];
  server.described = { '1.0': description(handler('Oddâ\u001bHandler', '/MAAS/api/1.0/odd/', [], { doc, actions })) };
  await terminal.say('refresh');
  for (const words of [['--help'], ['odd', '--help'], ['odd', 're-ad', '--help']]) {
    const { code, out } = await terminal.say('lab', ...words);
    assert.equal(code, 0);
    assert.ok(!/[\u202e]|[^\P{Cc}\n]/u.test(out), JSON.stringify(out));
  }
  const { out } = await terminal.say('lab', 'odd', 're-ad', '--help');
  assert.ok(out.includes('Read\ufffd[31m it.\nMore.\n\nAfter.\n'), out);
  assert.ok(out.includes('parameters:\n  os  Which\ufffd one of them. (String)\n  x\n'), out);
});

const anHourAgo = (): number => Date.now() - 3_600_000;

test('a clock that is off by an hour is no reason to be refused', async () => {
  await using lab = await loggedIn('2.0');
  const { server, terminal } = lab;
  let bodies = 0;
  server.serve = (request, response) => {
    const stamp = Number(/oauth_timestamp="(\d+)"/.exec(request.headers.authorization ?? '')?.[1]);
    request.on('data', () => bodies++).resume();
    response.statusCode = Math.abs(stamp * 1000 - Date.now()) < 60_000 ? 200 : 401;
    request.on('end', () => response.end('OK'));
  };
  const said = await terminal.sayWith(
    { now: anHourAgo, isTerminal: false },
    'lab',
    'ipranges',
    'create',
    'type=dynamic',
  );
  assert.deepEqual([said, bodies], [{ code: 0, out: 'OK', err: '' }, 2]);
});

test('what is no description is no login, in one sentence', async () => {
  await using server = await MaasServer.start();
  using terminal = new ApiTerminal();
  server.described = { '2.0': description(handler('AHandler', '//elsewhere.example/{id}/', ['read GET'])) };
  await assert.rejects(terminal.say('login', 'x', `${server.url}/2.0/`, KEY), {
    name: 'RefusedError',
    message: `${server.url}/2.0/describe/ is no description of an API: resources[0].auth.path: expected a path on this server that has each of its params once`,
  });
});

test('whom a login trusted is trusted from then on, and nobody else', async () => {
  const authority = new Authority();
  const issued = authority.issue([127, 0, 0, 1]);
  await using server = await MaasServer.start(issued);
  using terminal = new ApiTerminal();
  const { say } = terminal;
  const login = (name: string, ...words: string[]) => say('login', name, `${server.url}/2.0/`, KEY, ...words);
  const file = join(terminal.home, 'ca.pem');
  writeFileSync(file, authority.cert);
  await assert.rejects(login('x'), { name: 'UnreachableError' });
  await assert.rejects(login('x', '--pin', '00'.repeat(32)), /which is not pinned/);
  assert.equal((await login('by-ca', '--ca', file)).code, 0);
  const spki = new X509Certificate(issued.cert).publicKey.export({ type: 'spki', format: 'der' });
  const pin = createHash('sha256').update(spki).digest('base64');
  assert.equal((await login('by-pin', '--pin', '00'.repeat(32), '--pin', pin)).code, 0);
  // It was taken into the profile
  writeFileSync(file, '');
  for (const name of ['by-ca', 'by-pin']) assert.equal((await say(name, 'users', 'read')).code, 0);
});
