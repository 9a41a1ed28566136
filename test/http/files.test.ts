import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { statSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { ask, HttpRack, talk } from './http-rack.ts';

const KERNEL = Buffer.from(Array.from({ length: 1000 }, (_, i) => i % 251));

describe('a boot file over HTTP', () => {
  it('that a Raspberry Pi asks for under its serial number may be the one for all', async (t) => {
    const own = { '1a2b3c4d/cmdline.txt': Buffer.from('own'), 'cmdline.txt': Buffer.from('all'), 'start4.elf': KERNEL };
    const rack = new HttpRack(t, own);
    assert.equal((await ask(rack, '/1a2b3c4d/cmdline.txt')).body.toString(), 'own');
    assert.deepEqual((await ask(rack, '/1a2b3c4d/start4.elf')).body, KERNEL);
    assert.equal((await ask(rack, '/1a2b3c4d/fixup4.dat')).status, 404);
  });

  it('comes with its length, never chunked, and without a word about the server', async (t) => {
    const rack = new HttpRack(t, { 'debian/vmlinuz': KERNEL });
    const { status, headers, body } = await ask(rack, '/debian/vmlinuz');
    assert.equal(status, 200);
    assert.deepEqual(body, KERNEL);
    assert.equal(headers['content-length'], '1000');
    assert.equal(headers['content-type'], 'application/octet-stream');
    assert.equal(headers['accept-ranges'], 'bytes');
    assert.equal(headers['transfer-encoding'], undefined);
    assert.equal(headers.server, undefined);
    assert.equal(headers['x-powered-by'], undefined);
    const sent = await rack.event('http.sent');
    assert.deepEqual(sent, {
      kind: 'http.sent',
      path: '/debian/vmlinuz',
      status: 200,
      bytes: 1000,
      milliseconds: 0,
      address: '127.0.0.1',
    });
    assert.deepEqual(rack.service.counters(), { requests: 1, bytes: 1000, failed: 0, 'status.2xx': 1 });
  });

  it('has the same header for HEAD, and no body', async (t) => {
    const rack = new HttpRack(t, { f: KERNEL });
    const get = await ask(rack, '/f');
    const head = await ask(rack, '/f', { method: 'HEAD', headers: { range: 'bytes=0-1' } });
    assert.equal(head.status, 200);
    assert.equal(head.body.length, 0);
    assert.deepEqual({ ...head.headers, date: '' }, { ...get.headers, date: '' });
  });

  it('may be empty', async (t) => {
    const rack = new HttpRack(t, { empty: '' });
    const { status, headers, body } = await ask(rack, '/empty');
    assert.deepEqual([status, headers['content-length'], body.length], [200, '0', 0]);
    assert.equal((await ask(rack, '/empty', { headers: { range: 'bytes=0-' } })).status, 416);
  });

  const RANGES: readonly (readonly [string, number, string | undefined, Buffer])[] = [
    ['bytes=0-0', 206, 'bytes 0-0/1000', KERNEL.subarray(0, 1)],
    ['bytes=100-199', 206, 'bytes 100-199/1000', KERNEL.subarray(100, 200)],
    ['bytes=990-', 206, 'bytes 990-999/1000', KERNEL.subarray(990)],
    ['bytes=-10', 206, 'bytes 990-999/1000', KERNEL.subarray(990)],
    ['bytes=900-5000', 206, 'bytes 900-999/1000', KERNEL.subarray(900)],
    ['bytes=1000-', 416, 'bytes */1000', Buffer.from('the file has 1000 bytes: no such range\n')],
    ['bytes=0-1,4-5', 200, undefined, KERNEL],
    ['nonsense', 200, undefined, KERNEL],
  ];
  for (const [range, status, contentRange, bytes] of RANGES) {
    it(`answers Range: ${range} with ${status}`, async (t) => {
      const rack = new HttpRack(t, { f: KERNEL });
      const answer = await ask(rack, '/f', { headers: { range } });
      assert.equal(answer.status, status);
      assert.equal(answer.headers['content-range'], contentRange);
      assert.equal(answer.headers['content-length'], String(bytes.length));
      assert.deepEqual(answer.body, bytes);
    });
  }

  it('gives a part only while it is still the same file', async (t) => {
    const rack = new HttpRack(t, { f: KERNEL });
    const { headers } = await ask(rack, '/f');
    const { etag = '', 'last-modified': modified = '' } = headers;
    const range = 'bytes=0-9';
    const statusFor = async (condition: string): Promise<number> =>
      (await ask(rack, '/f', { headers: { range, 'if-range': condition } })).status;
    assert.equal(await statusFor(etag), 206);
    assert.equal(await statusFor(modified), 206);
    assert.equal(await statusFor('"other"'), 200);
    assert.equal(await statusFor(`W/${etag}`), 200);
    assert.equal(await statusFor('Thu, 01 Jan 1970 00:00:00 GMT'), 200);
  });

  it('is not sent again to a client that has it', async (t) => {
    const rack = new HttpRack(t, { f: KERNEL });
    const { headers } = await ask(rack, '/f');
    const { etag = '', 'last-modified': modified = '' } = headers;
    for (const condition of [{ 'if-none-match': etag }, { 'if-none-match': '*' }, { 'if-modified-since': modified }]) {
      const answer = await ask(rack, '/f', { headers: condition });
      assert.equal(answer.status, 304);
      assert.equal(answer.body.length, 0);
      assert.equal(answer.headers.etag, etag);
    }
    utimesSync(join(rack.files, 'f'), 1_000_000, 2_000_000);
    assert.equal((await ask(rack, '/f', { headers: { 'if-none-match': etag } })).status, 200);
  });

  it('is read with GET or HEAD only', async (t) => {
    const rack = new HttpRack(t, { f: KERNEL });
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
      const answer = await ask(rack, '/f', { method });
      assert.equal(answer.status, 405);
      assert.equal(answer.headers.allow, 'GET, HEAD');
      assert.equal(answer.body.toString(), 'files are read with GET or HEAD\n');
    }
  });

  it('reaches HTTP/1.0 clients, which are then hung up on', async (t) => {
    const rack = new HttpRack(t, { f: 'hello' });
    const text = await talk(rack, 'GET /f HTTP/1.0\r\n\r\n');
    assert.match(text, /^HTTP\/1\.1 200 OK\r\n/);
    assert.match(text, /\r\nContent-Length: 5\r\n/);
    assert.match(text, /\r\nConnection: close\r\n/);
    assert.doesNotMatch(text, /Transfer-Encoding/i);
    assert.match(text, /\r\n\r\nhello$/);
  });

  it('follows another on the same connection', async (t) => {
    const rack = new HttpRack(t, { a: 'first', b: 'second' });
    const text = await talk(
      rack,
      'GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    );
    assert.match(text, /\r\n\r\nfirstHTTP\/1\.1 200 OK\r\n/);
    assert.match(text, /\r\n\r\nsecond$/);
  });

  it('that shrinks while it is sent breaks the connection, so that nobody boots half a kernel', async (t) => {
    const rack = new HttpRack(t, { big: Buffer.alloc(64 << 20, 7) });
    const file = join(rack.files, 'big');
    const response = await fetch(`http://127.0.0.1:${rack.port}/big`);
    const reader = response.body?.getReader();
    await reader?.read();
    truncateSync(file, 1 << 20);
    await assert.rejects(async () => {
      for (let done: boolean | undefined = false; done === false; done = (await reader?.read())?.done);
    });
    assert.equal((await rack.event('http.failed')).reason, 'the file became shorter while it was sent');
  });
});

describe('what is not served', () => {
  const REFUSED: readonly (readonly [string, number, string])[] = [
    ['/nothing', 404, 'no such file'],
    ['/', 404, 'this rack lists no directories'],
    ['/debian', 403, 'not a regular file'],
    ['/debian/', 403, 'not a regular file'],
    ['/debian/vmlinuz/x', 404, 'no such file'],
    ['/ipxe/x', 404, '"x" is not a MAC address: expected one like 52-54-00-12-34-56'],
    ['/../secret', 403, 'a path holds no ".." and no control characters'],
    ['/debian/../../secret', 403, 'a path holds no ".." and no control characters'],
    ['/%2e%2e/secret', 403, 'a path holds no ".." and no control characters'],
    ['/%2e%2e%2fsecret', 403, 'a path holds no ".." and no control characters'],
    ['/..%5csecret', 403, 'a path holds no ".." and no control characters'],
    ['/debian%2f..%2f..%2fsecret', 403, 'a path holds no ".." and no control characters'],
    ['http://x/../secret', 403, 'a path holds no ".." and no control characters'],
    ['/f%00', 403, 'a path holds no ".." and no control characters'],
    ['/f%0a', 403, 'a path holds no ".." and no control characters'],
    ['/%252e%252e/secret', 404, 'no such file'],
    ['//etc/passwd', 404, 'no such file'],
    [`/${'x'.repeat(5000)}`, 404, 'no such file'],
    ['/%', 400, 'the percent-encoding of the path is wrong'],
    ['/%ff', 400, 'the percent-encoding of the path is wrong'],
  ];
  for (const [path, status, reason] of REFUSED) {
    it(`${path.slice(0, 40)} gets ${status}`, async (t) => {
      const rack = new HttpRack(t, { 'debian/vmlinuz': KERNEL });
      writeFileSync(join(rack.directory, 'secret'), 'secret');
      const answer = await ask(rack, path);
      assert.equal(answer.body.toString(), `${reason}\n`);
      assert.equal(answer.status, status);
      assert.equal(answer.headers['content-length'], String(Buffer.byteLength(reason) + 1));
      const refused = await rack.event('http.refused');
      assert.deepEqual([refused.status, refused.reason, refused.address], [status, reason, '127.0.0.1']);
    });
  }

  it('is any file that a link leads out to; one that stays inside is served', async (t) => {
    const rack = new HttpRack(t, { 'real/f': 'inside' });
    writeFileSync(join(rack.directory, 'secret'), 'secret');
    symlinkSync(join(rack.directory, 'secret'), join(rack.files, 'absolute'));
    symlinkSync('../secret', join(rack.files, 'relative'));
    symlinkSync('..', join(rack.files, 'up'));
    symlinkSync('/proc/self/environ', join(rack.files, 'environ'));
    symlinkSync('real', join(rack.files, 'alias'));
    symlinkSync('loop', join(rack.files, 'loop'));
    for (const path of ['/absolute', '/relative', '/up/secret', '/environ', '/loop']) {
      assert.equal((await ask(rack, path)).status, 403, path);
    }
    assert.equal((await ask(rack, '/alias/f')).body.toString(), 'inside');
  });

  it('is not a file that the plan names, wherever its link leads', async (t) => {
    const rack = new HttpRack(t);
    writeFileSync(join(rack.directory, 'vmlinuz-6.1'), 'kernel');
    const file = join(rack.files, 'vmlinuz');
    symlinkSync('../vmlinuz-6.1', file);
    assert.equal((await ask(rack, '/vmlinuz')).status, 403);
    const entry = { name: 'x', kernel: { path: 'vmlinuz', file }, initrd: [], cmdline: '' };
    rack.service.apply(rack.plan({ entries: [entry] }), [rack.socket]);
    assert.equal((await ask(rack, '/vmlinuz')).body.toString(), 'kernel');
  });

  it('is a FIFO, which would stop the thread', async (t) => {
    const rack = new HttpRack(t);
    execFileSync('/usr/bin/mkfifo', [join(rack.files, 'fifo')]);
    assert.equal(statSync(join(rack.files, 'fifo')).isFIFO(), true);
    assert.equal((await ask(rack, '/fifo')).status, 403);
  });

  it('is counted by its reason', async (t) => {
    const rack = new HttpRack(t);
    await ask(rack, '/nothing');
    await ask(rack, '/..');
    await ask(rack, '/f', { method: 'PUT' });
    await talk(rack, 'nonsense\r\n\r\n');
    assert.deepEqual(rack.service.counters(), {
      requests: 3,
      bytes: 0,
      failed: 0,
      'status.4xx': 3,
      'refused.not-found': 1,
      'refused.bad-path': 1,
      'refused.method': 1,
      'refused.bad-request': 1,
    });
  });

  it('is anything that is not HTTP', async (t) => {
    const rack = new HttpRack(t);
    assert.match(await talk(rack, 'nonsense\r\n\r\n'), /^HTTP\/1\.1 400 Bad Request\r\n.*\r\n\r\nBad Request\n$/s);
    const header = `X: ${'y'.repeat(20_000)}\r\n`;
    assert.match(await talk(rack, `GET / HTTP/1.1\r\nHost: x\r\n${header}\r\n`), /^HTTP\/1\.1 431 /);
  });
});
