import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import {
  appendFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { READ_ONLY_SENDER, SendfileSender, type FileSender, type Sent } from '../../src/http/file-sender.ts';
import { loadLibc } from '../../src/system/libc.ts';
import { ask, HttpRack, talk } from './http-rack.ts';

/** More than the kernel's socket buffers hold, so that a transfer stands still until the client reads. */
const BIG = randomBytes(24 << 20);
const MIDDLE = randomBytes(300_000);

/** The real one, and what it was asked to do. */
class WatchedSender implements FileSender {
  readonly #sender = new SendfileSender(loadLibc());
  sent = 0;
  fulls = 0;
  /** What it says instead, once so many bytes are sent. */
  trouble: { after: number; says: Sent } | undefined;

  send(...[socket, file, offset, most]: Parameters<FileSender['send']>): Sent {
    if (this.trouble && this.sent >= this.trouble.after) return this.trouble.says;
    const sent = this.#sender.send(socket, file, offset, most);
    if (typeof sent === 'number') this.sent += sent;
    if (sent === 'full') this.fulls++;
    return sent;
  }

  hold(socket: Socket): boolean {
    return this.#sender.hold(socket);
  }

  letGo(socket: Socket): void {
    this.#sender.letGo(socket);
  }

  unacknowledged(socket: Socket): number {
    return this.#sender.unacknowledged(socket);
  }

  readAhead(...told: Parameters<FileSender['readAhead']>): void {
    this.#sender.readAhead(...told);
  }
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function open(rack: HttpRack, path: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port: rack.port, path, headers, agent: false }, resolve).on('error', reject);
  });
}

async function readAll(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** How many descriptors of this process are open on files under `directory`. */
function openUnder(directory: string): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(directory);
    } catch {
      return false;
    }
  }).length;
}

async function nothingOpen(rack: HttpRack): Promise<void> {
  while (openUnder(rack.files) > 0) await new Promise<void>((resolve) => setImmediate(resolve));
}

/** A connection that reads only when told to. */
function half(rack: HttpRack, text: string): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect(rack.port, '127.0.0.1', () => socket.write(text, () => resolve(socket)));
    socket.pause().on('error', () => undefined);
  });
}

const SENDERS: readonly (readonly [string, () => FileSender])[] = [
  ['by sendfile', () => new SendfileSender(loadLibc())],
  ['by reads', () => READ_ONLY_SENDER],
];

for (const [way, createSender] of SENDERS) {
  describe(`a large file ${way}`, () => {
    it('arrives whole, and its bytes are booked', async (t) => {
      const rack = new HttpRack(t, { big: BIG }, {}, { sender: createSender() });
      const { status, headers, body } = await ask(rack, '/big');
      assert.deepEqual([status, headers['content-length'], hashOf(body)], [200, String(BIG.length), hashOf(BIG)]);
      assert.equal((await rack.event('http.sent')).bytes, BIG.length);
      assert.equal(rack.totals()['bytes'], BIG.length);
      await nothingOpen(rack);
    });

    it('arrives in any part, at any edge of the pieces it is sent in', async (t) => {
      const rack = new HttpRack(t, { middle: MIDDLE }, {}, { sender: createSender() });
      const edges = [0, 1, 16_383, 16_384, 16_385, 32_768, 65_536, 131_072, MIDDLE.length - 16_385, MIDDLE.length - 1];
      for (const first of edges) {
        for (const last of edges.filter((edge) => edge >= first)) {
          const { status, body } = await ask(rack, '/middle', { headers: { range: `bytes=${first}-${last}` } });
          assert.equal(status, 206);
          assert.ok(body.equals(MIDDLE.subarray(first, last + 1)), `${first}-${last}`);
        }
      }
      await nothingOpen(rack);
    });

    it('arrives in several parts, as multipart/byteranges says', async (t) => {
      const rack = new HttpRack(t, { big: BIG }, {}, { sender: createSender() });
      const spans = [
        [20_000_000, 20_000_009],
        [0, 99_999],
        [5_000_000, 8_000_000],
      ] as const;
      const range = `bytes=${spans.map((span) => span.join('-')).join(', ')}`;
      const { status, headers, body } = await ask(rack, '/big', { headers: { range } });
      assert.equal(status, 206);
      assert.equal(headers['content-range'], undefined);
      assert.equal(headers['content-length'], String(body.length));
      const boundary = /^multipart\/byteranges; boundary=([0-9a-f]{36})$/.exec(headers['content-type'] ?? '')?.[1];
      const expected = spans.flatMap(([first, last], i) => [
        Buffer.from(
          `${i === 0 ? '' : '\r\n'}--${boundary}\r\nContent-Type: application/octet-stream\r\n` +
            `Content-Range: bytes ${first}-${last}/${BIG.length}\r\n\r\n`,
        ),
        BIG.subarray(first, last + 1),
      ]);
      assert.ok(body.equals(Buffer.concat([...expected, Buffer.from(`\r\n--${boundary}--\r\n`)])));
      await nothingOpen(rack);
    });

    it('goes before and after others on one connection, in order, pipelined', async (t) => {
      const rack = new HttpRack(
        t,
        { big: BIG, middle: MIDDLE, small: Buffer.from('hello') },
        {},
        { sender: createSender() },
      );
      const names = ['big', 'small', 'middle', 'big', 'small'];
      const requests = names.map((name, i) => {
        return `GET /${name} HTTP/1.1\r\nHost: x\r\n${i === names.length - 1 ? 'Connection: close\r\n' : ''}\r\n`;
      });
      let left = Buffer.from(await talk(rack, requests.join('')), 'latin1');
      for (const name of names) {
        const bodyAt = left.indexOf('\r\n\r\n') + 4;
        const length = Number(/content-length: (\d+)/i.exec(left.toString('latin1', 0, bodyAt))?.[1]);
        const content = { big: BIG, middle: MIDDLE, small: Buffer.from('hello') }[name];
        assert.ok(content?.equals(left.subarray(bodyAt, bodyAt + length)), name);
        left = left.subarray(bodyAt + length);
      }
      assert.equal(left.length, 0);
      await nothingOpen(rack);
    });

    it('of which a pipeline asks is not kept open when the client hangs up', async (t) => {
      const rack = new HttpRack(t, { big: BIG }, {}, { sender: createSender() });
      const socket = await half(rack, 'GET /big HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(50));
      await rack.until(() => openUnder(rack.files) > 0);
      assert.equal(openUnder(rack.files), 1);
      socket.resetAndDestroy();
      await nothingOpen(rack);
      await rack.until(() => rack.service.counters()['sending'] === 0);
    });

    it('before a CONNECT ends with its client', async (t) => {
      const rack = new HttpRack(t, { big: BIG }, {}, { sender: createSender() });
      const socket = await half(rack, 'GET /big HTTP/1.1\r\nHost: x\r\n\r\nCONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n');
      await rack.until(() => rack.service.counters()['sending'] === 1);
      socket.resetAndDestroy();
      await rack.until(() => rack.service.counters()['sending'] === 0);
      await nothingOpen(rack);
    });

    it('reaches HTTP/1.0 clients with and without keep-alive', async (t) => {
      const rack = new HttpRack(t, { middle: MIDDLE }, {}, { sender: createSender() });
      const alone = Buffer.from(await talk(rack, 'GET /middle HTTP/1.0\r\n\r\n'), 'latin1');
      assert.match(alone.toString('latin1', 0, 400), /Connection: close/);
      assert.ok(alone.subarray(-MIDDLE.length).equals(MIDDLE));
      const kept = 'GET /middle HTTP/1.0\r\nConnection: keep-alive\r\n\r\n';
      const twice = Buffer.from(await talk(rack, `${kept}GET /middle HTTP/1.0\r\n\r\n`), 'latin1');
      assert.match(twice.toString('latin1', 0, 400), /Connection: keep-alive/);
      assert.doesNotMatch(twice.toString('latin1', 0, 400), /chunked/);
      assert.ok(twice.subarray(-MIDDLE.length).equals(MIDDLE));
      assert.ok(twice.includes(MIDDLE.subarray(0, 100)));
    });

    it('that is replaced goes on as it was', async (t) => {
      const rack = new HttpRack(t, { big: BIG }, {}, { sender: createSender() });
      const response = await open(rack, '/big');
      writeFileSync(join(rack.files, 'new'), 'new');
      renameSync(join(rack.files, 'new'), join(rack.files, 'big'));
      assert.equal(hashOf(await readAll(response)), hashOf(BIG));
    });

    for (const [what, spoil, reason] of [
      ['shrinks', (file: string) => truncateSync(file, 20 << 20), 'the file became shorter while it was sent'],
      ['grows', (file: string) => appendFileSync(file, 'x'), 'the file was changed while it was sent'],
      ['is written into', (file: string) => utimesSync(file, 1, 2), 'the file was changed while it was sent'],
    ] as const) {
      it(`that ${what} while it is sent breaks the connection, and that is said`, async (t) => {
        const rack = new HttpRack(t, { big: BIG }, {}, { sender: createSender() });
        const response = await open(rack, '/big');
        spoil(join(rack.files, 'big'));
        await assert.rejects(readAll(response), { code: 'ECONNRESET' });
        assert.equal((await rack.event('http.failed')).reason, reason);
        assert.equal(rack.totals()['failed'], 1);
        await nothingOpen(rack);
      });
    }

    it('costs nothing while its client does not read', async (t) => {
      const rack = new HttpRack(t, { big: BIG }, {}, { sender: createSender() });
      const socket = await half(rack, 'GET /big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
      await rack.until(() => rack.service.counters()['sending'] === 1);
      await pause(200);
      const before = process.cpuUsage();
      await pause(500);
      const { user, system } = process.cpuUsage(before);
      assert.ok(user + system < 200_000, `${user + system} µs of CPU in 500 ms`);
      const bytes = await readAll(socket.resume());
      assert.ok(bytes.subarray(-BIG.length).equals(BIG));
    });
  });
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

describe('sendfile', () => {
  it('carries nearly all, waits for a full socket, and books every byte once', async (t) => {
    const sender = new WatchedSender();
    const rack = new HttpRack(t, { big: BIG }, {}, { sender });
    const response = await open(rack, '/big');
    await pause(100);
    assert.equal(hashOf(await readAll(response)), hashOf(BIG));
    assert.ok(sender.fulls > 0);
    assert.ok(sender.sent > BIG.length / 2, `${sender.sent} of ${BIG.length}`);
    assert.equal((await rack.event('http.sent')).bytes, BIG.length);
  });

  it('that a file system does not offer is done without, in the midst of a file', async (t) => {
    const sender = new WatchedSender();
    sender.trouble = { after: 1 << 20, says: 'unable' };
    const rack = new HttpRack(t, { big: BIG }, {}, { sender });
    assert.equal(hashOf((await ask(rack, '/big')).body), hashOf(BIG));
  });

  it('that meets a bad sector breaks the connection and names the trouble', async (t) => {
    const sender = new WatchedSender();
    sender.trouble = { after: 1 << 20, says: { fault: "the file can't be read (EIO)" } };
    const rack = new HttpRack(t, { big: BIG }, {}, { sender });
    await assert.rejects(ask(rack, '/big'), { code: 'ECONNRESET' });
    assert.equal((await rack.event('http.failed')).reason, "the file can't be read (EIO)");
  });

  it('that finds the client gone says how far it came', async (t) => {
    const sender = new WatchedSender();
    sender.trouble = { after: 1 << 20, says: 'gone' };
    const rack = new HttpRack(t, { big: BIG }, {}, { sender, sendLimits: { turn: 1 << 20 } });
    await assert.rejects(ask(rack, '/big'), { code: 'ECONNRESET' });
    const { reason } = await rack.event('http.failed');
    assert.match(reason, /^the connection was closed after about 1\d{6} of 25165824 bytes$/);
  });

  it('is never asked to write to a connection that is closed', async (t) => {
    const rack = new HttpRack(t, { big: BIG });
    const sender = new SendfileSender(loadLibc());
    const socket = await half(rack, '');
    const file = { fd: -1 };
    socket.destroy();
    assert.equal(sender.send(socket, file.fd, 0, 10), 'gone');
    assert.equal(sender.unacknowledged(socket), 0);
  });
});

it('a request behind an answer that is the last of its connection opens nothing, and holds no place for ever', async (t) => {
  const rack = new HttpRack(t, { big: Buffer.alloc(4 << 20) });
  const last = 'GET /nothing HTTP/1.1\r\n\r\n';
  const big = 'GET /big HTTP/1.1\r\nHost: rack\r\n\r\n';
  const ends = Array.from({ length: 40 }, () => {
    return new Promise<void>((resolve) => {
      const socket = connect(rack.port, '127.0.0.1', () => socket.write(last + big));
      socket.resume();
      socket.once('error', () => undefined);
      socket.once('close', () => resolve());
    });
  });
  await Promise.all(ends);
  await rack.until(() => rack.service.counters()['connections'] === 0);
  assert.equal(rack.service.counters()['sending'], 0);
  assert.equal(rack.totals()['requests'], 40);
});
