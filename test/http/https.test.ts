import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { connect as connectSecurely, type TLSSocket } from 'node:tls';

import { Authority, type Issued } from '../fixtures/certificate.ts';
import { HttpRack } from './http-rack.ts';

const BIG = randomBytes(8 << 20);
const ca = new Authority();
const other = new Authority();
const HERE = [127, 0, 0, 1];

/** A rack whose one socket speaks TLS. */
function secureRack(t: TestContext, pair: Partial<Issued>, files: Record<string, Buffer | string> = {}): HttpRack {
  const rack = new HttpRack(t, files);
  put(rack, pair);
  apply(rack);
  return rack;
}

function put(rack: HttpRack, { cert, key }: Partial<Issued>): void {
  if (cert !== undefined) writeFileSync(join(rack.directory, 'cert.pem'), cert);
  if (key !== undefined) writeFileSync(join(rack.directory, 'key.pem'), key);
}

/** What the rack does when the file or the certificate changed. */
function apply(rack: HttpRack): void {
  const [certificate, key] = ['cert.pem', 'key.pem'].map((name) => join(rack.directory, name));
  const tls = { port: rack.port, certificate: certificate ?? '', key: key ?? '' };
  rack.service.apply({ ...rack.plan(), http: { port: 1, tls } }, [rack.socket]);
}

/** Sound but for what stands behind the certificate. */
function brokenChain(): Issued {
  const { cert, key } = ca.issue(HERE);
  return { cert: `${cert}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`, key };
}

interface Answer {
  readonly body: Buffer;
  readonly serial: string;
}

function ask(rack: HttpRack, path: string, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port: rack.port, path, headers, ca: ca.cert, agent: false };
    const outgoing = request(options, (response) => {
      const { serialNumber } = (response.socket as TLSSocket).getPeerCertificate();
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => resolve({ body: Buffer.concat(chunks), serial: serialNumber }));
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describe('HTTPS', () => {
  it('serves the same files, and no byte goes past TLS', async (t) => {
    const rack = secureRack(t, ca.issue(HERE), { big: BIG, small: 'hello' });
    assert.equal((await ask(rack, '/small')).body.toString(), 'hello');
    assert.equal(hashOf((await ask(rack, '/big')).body), hashOf(BIG));
    const part = await ask(rack, '/big', { range: 'bytes=100-1999999' });
    assert.ok(part.body.equals(BIG.subarray(100, 2_000_000)));
    const loaded = await rack.event('http.certificate-loaded');
    assert.deepEqual([loaded.subject, loaded.expires], ['IP Address:127.0.0.1', Date.parse('2100-01-01') / 1000]);
  });

  it('takes up a new pair for new connections, while those there are go on', async (t) => {
    const rack = secureRack(t, ca.issue(HERE), { big: BIG, small: 'hello' });
    const before = await ask(rack, '/small');
    const options = { host: '127.0.0.1', port: rack.port, ca: ca.cert };
    const running = connectSecurely(options);
    running.write('GET /big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    await rack.until(() => rack.service.counters()['sending'] === 1);
    put(rack, ca.issue(HERE));
    apply(rack);
    assert.notEqual((await ask(rack, '/small')).serial, before.serial);
    const chunks: Buffer[] = [];
    for await (const chunk of running) chunks.push(chunk as Buffer);
    assert.equal(hashOf(Buffer.concat(chunks).subarray(-BIG.length)), hashOf(BIG));
    apply(rack);
    assert.equal(rack.events.filter(({ kind }) => kind === 'http.certificate-loaded').length, 2);
  });

  for (const [what, broken, reason] of [
    ['a key of another', () => ({ key: other.issue(HERE).key }), /key\.pem is not the key of .*cert\.pem$/],
    ['no certificate', () => ({ cert: 'nonsense' }), /cert\.pem holds no certificate in PEM$/],
    ['one with a broken chain', () => brokenChain(), /cert\.pem can't be served by TLS \(\w+\): is its chain whole\?$/],
    ['no key', () => ({ key: 'nonsense' }), /key\.pem holds no private key in PEM without a passphrase$/],
  ] as const) {
    it(`keeps its pair when the new one is ${what}, says so once, and mends itself`, async (t) => {
      const rack = secureRack(t, ca.issue(HERE), { small: 'hello' });
      const { serial } = await ask(rack, '/small');
      put(rack, broken());
      apply(rack);
      apply(rack);
      assert.equal((await ask(rack, '/small')).serial, serial);
      const failed = rack.events.filter((event) => event.kind === 'http.certificate-failed');
      assert.equal(failed.length, 1);
      assert.match(failed[0]?.reason ?? '', reason);
      assert.equal(failed[0]?.kept, true);
      put(rack, ca.issue(HERE));
      apply(rack);
      assert.notEqual((await ask(rack, '/small')).serial, serial);
    });
  }

  it('without a pair refuses every handshake, until there is one', async (t) => {
    const rack = secureRack(t, {}, { small: 'hello' });
    assert.equal((await rack.event('http.certificate-failed')).kept, false);
    await assert.rejects(ask(rack, '/small'), { code: 'EPROTO' });
    await rack.until(() => rack.service.counters()['refused.tls'] === 1);
    put(rack, ca.issue(HERE));
    apply(rack);
    assert.equal((await ask(rack, '/small')).body.toString(), 'hello');
  });

  it('hangs up on who speaks plain HTTP, and is counted', async (t) => {
    const rack = secureRack(t, ca.issue(HERE));
    const socket = connect(rack.port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'));
    const chunks: Buffer[] = [];
    socket.on('error', () => undefined).on('data', (chunk: Buffer) => chunks.push(chunk));
    await new Promise((closed) => socket.once('close', closed));
    assert.doesNotMatch(Buffer.concat(chunks).toString('latin1'), /HTTP\/1.1 200/);
    await rack.until(() => rack.service.counters()['refused.tls'] === 1);
  });

  it('that breaks in the midst of a file ends without the word that all was sent', async (t) => {
    const rack = secureRack(t, ca.issue(HERE), { big: BIG });
    const asked = ask(rack, '/big');
    await rack.until(() => rack.service.counters()['sending'] === 1);
    writeFileSync(join(rack.files, 'big'), 'short');
    await assert.rejects(asked);
    assert.match((await rack.event('http.failed')).reason, /^the file (became shorter|was changed) while it was sent$/);
  });

  it('keeps the key out of everything that is told', async (t) => {
    const pair = ca.issue(HERE);
    const rack = secureRack(t, pair, { small: 'hello' });
    put(rack, { cert: pair.key });
    apply(rack);
    const secret = pair.key.split('\n')[1] ?? '';
    assert.ok(secret.length > 20);
    assert.doesNotMatch(JSON.stringify([rack.events, rack.plan(), rack.service]), new RegExp(secret.slice(0, 20)));
  });
});
