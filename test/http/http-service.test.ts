import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { connect, type Socket } from 'node:net';
import { describe, it } from 'node:test';

import { ask, HttpRack } from './http-rack.ts';

/** More than the kernel's socket buffers hold, so that a transfer stands still until the client reads. */
const BIG = Buffer.from(Array.from({ length: 1 << 16 }, (_, i) => (i * 7) % 253));
const COPIES = 512;
const whole = Buffer.concat(Array<Buffer>(COPIES).fill(BIG));

function openDownload(rack: HttpRack, path: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port: rack.port, path, agent: false }, resolve).on('error', reject);
  });
}

async function digest(bytes: AsyncIterable<Buffer>): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of bytes) hash.update(chunk);
  return hash.digest('hex');
}

/** How many descriptors of this process are open on `file`. */
function openOn(file: string): number {
  return readdirSync('/proc/self/fd').filter((fd) => linkOf(fd) === file).length;
}

/** Node closes descriptors on its thread pool: this waits until that is done, or for ever. */
async function closed(file: string): Promise<void> {
  while (openOn(file) > 0) await new Promise<void>((resolve) => setImmediate(resolve));
}

function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return '';
  }
}

describe('the HTTP service', () => {
  it('serves scripts that name it by the address and port it was asked at', async (t) => {
    const rack = new HttpRack(t);
    const { headers, body } = await ask(rack, '/boot.ipxe');
    assert.equal(headers['content-type'], 'text/plain; charset=utf-8');
    assert.equal(headers['cache-control'], 'no-store');
    assert.equal(headers['content-length'], String(body.length));
    assert.match(body.toString(), new RegExp(`^chain .* http://127\\.0\\.0\\.1:${rack.port}/ipxe/`, 'm'));
    assert.match((await ask(rack, '/ipxe/52-54-00-12-34-56')).body.toString(), /^echo rackboot: node1 boots debian$/m);
  });

  it('closes the file when the client goes away, and says so', async (t) => {
    const rack = new HttpRack(t, { big: whole });
    const file = join(rack.files, 'big');
    const response = await openDownload(rack, '/big');
    assert.equal(openOn(file), 1);
    response.destroy();
    const failed = await rack.event('http.failed');
    assert.match(failed.reason, /^the connection was closed after about \d+ of 33554432 bytes$/);
    assert.deepEqual([failed.path, failed.address], ['/big', '127.0.0.1']);
    assert.equal(rack.service.counters()['failed'], 1);
    await closed(file);
  });

  it('leaves no file open after GET, HEAD, 206, 304 and 416', async (t) => {
    const rack = new HttpRack(t, { f: BIG });
    const { headers } = await ask(rack, '/f');
    await ask(rack, '/f', { method: 'HEAD' });
    await ask(rack, '/f', { headers: { range: 'bytes=0-9' } });
    await ask(rack, '/f', { headers: { range: 'bytes=99999999-' } });
    await ask(rack, '/f', { headers: { 'if-none-match': headers.etag ?? '' } });
    await ask(rack, '/nothing');
    await closed(join(rack.files, 'f'));
  });

  it('ends a transfer with the bytes it began with, while the plan and the socket change under it', async (t) => {
    const rack = new HttpRack(t, { big: whole });
    const response = await openDownload(rack, '/big');
    const files = join(rack.directory, 'other');
    mkdirSync(files);
    writeFileSync(join(files, 'big'), 'other');
    rack.service.apply(rack.plan({ files }), [rack.socket]);
    assert.equal((await ask(rack, '/big')).body.toString(), 'other');
    rack.service.apply(rack.plan({ files }), []);
    assert.equal(await digest(response), createHash('sha256').update(whole).digest('hex'));
  });

  it('gives the socket back unharmed, so that a successor finds who came meanwhile', async (t) => {
    const rack = new HttpRack(t, { f: 'hello' });
    rack.service.apply(rack.plan(), []);
    const meanwhile = ask(rack, '/f');
    rack.service.apply(rack.plan(), [rack.socket]);
    assert.equal((await meanwhile).body.toString(), 'hello');
    rack.service.apply(rack.plan(), [rack.socket]);
    assert.equal((await ask(rack, '/f')).body.toString(), 'hello');
  });

  it('lets one client open so many connections and no more', async (t) => {
    const rack = new HttpRack(t);
    const sockets = Array.from({ length: 300 }, () => connect(rack.port, '127.0.0.1').on('error', () => undefined));
    t.after(() => sockets.forEach((socket) => socket.destroy()));
    const hungUp = new Set<Socket>();
    await new Promise<void>((done) => {
      for (const socket of sockets) socket.on('close', () => hungUp.add(socket).size === 44 && done());
    });
    assert.equal(rack.service.counters()['refused.connections'], 44);
    for (const socket of sockets) socket.destroy();
  });

  it('hangs up on everybody when it is closed', async (t) => {
    const rack = new HttpRack(t, { big: whole });
    const response = await openDownload(rack, '/big');
    rack.service.close();
    await assert.rejects(digest(response), { code: 'ECONNRESET' });
  });
});
