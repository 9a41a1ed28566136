import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer, type Server } from 'node:tls';

import { DotService } from '../../src/dot/dot-service.ts';
import type { Upstream } from '../../src/plan/plan.ts';
import { dotSocketPath } from '../../src/service/dot-socket.ts';
import type { EventBody } from '../../src/timeline/event.ts';
import { ip4, planOf } from '../dns/plan-of.ts';
import { Authority, type Issued } from '../fixtures/certificate.ts';

const directory = mkdtempSync(join(tmpdir(), 'rackboot-dot-'));
const authority = new Authority();
const CA = join(directory, 'ca.pem');
/** Whom the system trusts. */
const SYSTEM = '';
writeFileSync(CA, authority.cert);
after(() => rmSync(directory, { recursive: true }));

/** An upstream that gives back what it is sent. */
async function echoServer(context: TestContext, issued: Issued): Promise<Server> {
  const server = createServer({ ...issued, ALPNProtocols: ['dot'] }, (socket) => {
    socket.on('error', () => socket.destroy());
    socket.pipe(socket);
  });
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => server.close());
  return server;
}

interface Rig {
  readonly service: DotService;
  readonly events: EventBody[];
  readonly control: string;
  readonly upstream: Upstream;
  elapsed: number;
}

async function rigFor(context: TestContext, issued: Issued, tls: string, ca = CA): Promise<Rig> {
  const server = await echoServer(context, issued);
  const { port } = server.address() as AddressInfo;
  const control = join(mkdtempSync(join(directory, 'run-')), 'control.sock');
  const events: EventBody[] = [];
  const upstream: Upstream = { address: ip4('127.0.0.1'), port, tls, ...(ca !== SYSTEM && { ca }) };
  const clock = { now: () => 0, monotonic: () => rig.elapsed };
  const loop = { watch: () => assert.fail('not here'), after: () => assert.fail('not here') };
  const service = new DotService({ clock, loop, events: { emit: (body) => void events.push(body) } });
  const rig: Rig = { service, events, control, upstream, elapsed: 1000 };
  apply(rig, [upstream]);
  context.after(() => service.close());
  return rig;
}

function apply({ service, control }: Rig, forward: readonly Upstream[]): void {
  const plan = planOf({ subnets: [] });
  service.apply({ ...plan, rack: { ...plan.rack, control }, dns: { ...plan.dns, forward } });
}

/** What comes back through the bridge; undefined when it hangs up. */
async function through({ control, upstream }: Rig, text: string): Promise<string | undefined> {
  const path = dotSocketPath(control, upstream);
  // It listens a moment later
  for (let tries = 0; tries < 200 && !statSync(path, { throwIfNoEntry: false }); tries++) await sleep(5);
  const socket = connect(path);
  socket.write(text);
  try {
    const [bytes] = (await Promise.race([once(socket, 'data'), once(socket, 'close').then(() => [])])) as [Buffer?];
    return bytes?.toString();
  } catch {
    return undefined;
  } finally {
    socket.destroy();
  }
}

const GOOD = authority.issueFor('dns.example');

describe('the dot service', () => {
  test('carries bytes to an upstream that proves its name, and back', async (context) => {
    const rig = await rigFor(context, GOOD, 'dns.example');
    assert.equal(await through(rig, 'hello'), 'hello');
    assert.deepEqual(rig.events, []);
    assert.equal(statSync(dotSocketPath(rig.control, rig.upstream)).mode & 0o777, 0o600);
  });

  test('goes on with the session of before', async (context) => {
    const rig = await rigFor(context, GOOD, 'dns.example');
    for (let i = 0; i < 3; i++) assert.equal(await through(rig, `hello ${i}`), `hello ${i}`);
    const counters = rig.service.counters();
    const name = `127.0.0.1:${rig.upstream.port}/dns.example`;
    assert.equal(counters[`${name}.connections`], 3);
    assert.ok((counters[`${name}.resumed`] ?? 0) >= 1);
  });

  const untrusted: [title: string, issued: Issued, tls: string, ca: string, reason: RegExp][] = [
    ['another name', GOOD, 'other.example', CA, /altnames|does not match/i],
    [
      'a certificate that has ended',
      authority.issueFor('dns.example', new Date('2021-01-01')),
      'dns.example',
      CA,
      /expired/,
    ],
    [
      'a stranger’s certificate',
      new Authority().issueFor('dns.example'),
      'dns.example',
      CA,
      /signature|unable|issuer/i,
    ],
    ['an authority the system does not know', GOOD, 'dns.example', SYSTEM, /unable|issuer|self/i],
    ['a CA file that is not there', GOOD, 'dns.example', join(directory, 'gone.pem'), /CA file can't be read/],
  ];
  for (const [title, issued, tls, ca, reason] of untrusted) {
    test(`sends nothing to an upstream with ${title}, and says so once`, async (context) => {
      const rig = await rigFor(context, issued, tls, ca);
      assert.equal(await through(rig, 'secret'), undefined);
      rig.elapsed += 60_000;
      assert.equal(await through(rig, 'secret'), undefined);
      const [event, ...more] = rig.events;
      assert.equal(event?.kind, 'dns.tls-failed');
      assert.match(event.reason, reason);
      assert.deepEqual(more, []);
    });
  }

  test('fails that upstream alone for a name that Node does not take', async (context) => {
    const rig = await rigFor(context, GOOD, '127.0.0.1');
    assert.equal(await through(rig, 'secret'), undefined);
    const [event, ...more] = rig.events;
    assert.equal(event?.kind, 'dns.tls-failed');
    assert.match(event.reason, /servername/i);
    assert.deepEqual(more, []);
    const named = { ...rig.upstream, tls: 'dns.example' };
    apply(rig, [rig.upstream, named]);
    assert.equal(await through({ ...rig, upstream: named }, 'hello'), 'hello');
  });

  test('tries no handshake for a while after one failed, and tells when one works', async (context) => {
    const rig = await rigFor(context, GOOD, 'dns.example', join(directory, 'late.pem'));
    assert.equal(await through(rig, 'hello'), undefined);
    writeFileSync(join(directory, 'late.pem'), new Authority().cert);
    apply(rig, [rig.upstream]);
    assert.equal(await through(rig, 'hello'), undefined);
    writeFileSync(join(directory, 'late.pem'), authority.cert);
    apply(rig, [rig.upstream]);
    assert.equal(await through(rig, 'hello'), undefined, 'too early');
    rig.elapsed += 60_000;
    assert.equal(await through(rig, 'hello'), 'hello');
    assert.deepEqual(
      rig.events.map(({ kind }) => kind),
      ['dns.tls-failed', 'dns.tls-failed', 'dns.tls-works'],
    );
  });

  test('hangs up where the Plan needs an upstream no more', async (context) => {
    const rig = await rigFor(context, GOOD, 'dns.example');
    assert.equal(await through(rig, 'hello'), 'hello');
    apply(rig, []);
    await assert.rejects(async () => {
      const socket = connect(dotSocketPath(rig.control, rig.upstream));
      await once(socket, 'connect');
    });
  });
});
