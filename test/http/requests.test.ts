import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { describe, it } from 'node:test';

import { mac } from '../boot/boot-plan-fixture.ts';
import { ask, HttpRack, LOOPBACK, talk } from './http-rack.ts';

const GET = (path: string, ...headers: string[]): string =>
  `GET ${path} HTTP/1.1\r\n${['Host: x', ...headers].map((line) => `${line}\r\n`).join('')}\r\n`;

/** Each gets one answer with a length, and the connection ends. */
const WRONG: readonly (readonly [string, string, number])[] = [
  ['no Host', 'GET /f HTTP/1.1\r\n\r\n', 400],
  ['two Hosts', GET('/f', 'Host: y'), 400],
  ['HTTP/2.0', 'GET /f HTTP/2.0\r\nHost: x\r\n\r\n', 505],
  ['HTTP/0.9', 'GET /f\r\n\r\n', 505],
  ['a path without a slash', GET('*'), 400],
  ['CONNECT', 'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n', 405],
  ['authority-form', GET('x:80'), 400],
  ['an expectation', GET('/f', 'Expect: tea'), 417],
  ['two lengths', GET('/f', 'Content-Length: 1', 'Content-Length: 2'), 400],
  ['length and chunks', GET('/f', 'Content-Length: 1', 'Transfer-Encoding: chunked'), 400],
  ['a length below zero', GET('/f', 'Content-Length: -1'), 400],
  ['a coding that does not end in chunks', GET('/f', 'Transfer-Encoding: gzip'), 501],
  ['two codings', GET('/f', 'Transfer-Encoding: gzip, chunked'), 501],
  ['chunks in HTTP/1.0', 'GET /f HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400],
  ['a NUL in the path', GET('/\0'), 400],
  ['a NUL in a header', GET('/f', 'X: \0'), 400],
  ['a blank before the colon', GET('/f', 'X : y'), 400],
  ['a folded header', GET('/f', 'X: y\r\n z'), 400],
  ['a bare CR', 'GET /f HTTP/1.1\rHost: x\r\r', 400],
  ['a header of 20 KB', GET('/f', `X: ${'y'.repeat(20_000)}`), 431],
];

describe('a request that is wrong', () => {
  for (const [what, text, status] of WRONG) {
    it(`by ${what} gets ${status}, with a length, and the last word`, async (t) => {
      const rack = new HttpRack(t, { f: 'hello' });
      const answer = await talk(rack, text);
      assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `));
      const [head = '', body = ''] = answer.split('\r\n\r\n');
      assert.match(head, new RegExp(`^Content-Length: ${body.length}$`, 'm'));
      assert.match(head, /^Connection: close$/m);
      assert.doesNotMatch(head, /chunked/);
      await rack.until(() => {
        return rack.events.some((event) => {
          return event.kind === 'http.refused' && event.status === status && event.address === '127.0.0.1';
        });
      });
    });
  }

  it('is answered after the right ones before it, and what follows it is not', async (t) => {
    const rack = new HttpRack(t, { f: 'hello', big: Buffer.alloc(8 << 20, 'x') });
    const text = await talk(rack, `${GET('/big')}${GET('/f')}nonsense\r\n\r\n${GET('/f')}`);
    const answers = text.split(/(?=HTTP\/1\.1 )/);
    assert.deepEqual(
      answers.map((answer) => answer.slice(9, 12)),
      ['200', '200', '400'],
    );
    assert.equal(answers[0]?.split('\r\n\r\n')[1]?.length, 8 << 20);
    assert.equal(answers[1]?.split('\r\n\r\n')[1], 'hello');
    assert.equal(rack.totals()['refused.bad-request'], 1);
  });

  it('by asking for too much at once is told to come again', async (t) => {
    const rack = new HttpRack(t, { f: 'hello' });
    const text = await talk(rack, GET('/f').repeat(500));
    const answers = text.split(/(?=HTTP\/1\.1 )/).map((answer) => answer.slice(9, 12));
    assert.equal(answers.at(-1), '503');
    assert.ok(answers.length > 30 && answers.length < 40, `${answers.length} answers`);
  });
});

describe('a request that is right', () => {
  it('may say its path as to a proxy', async (t) => {
    const rack = new HttpRack(t, { f: 'hello' });
    assert.match(await talk(rack, GET('http://elsewhere/f', 'Connection: close')), /^HTTP\/1\.1 200 .*hello$/s);
  });

  it('may have a body, which is not taken for the next request', async (t) => {
    const rack = new HttpRack(t, { f: 'hello' });
    const text = await talk(
      rack,
      `GET /f HTTP/1.1\r\nHost: x\r\nContent-Length: 29\r\n\r\nGET /x HTTP/1.1\r\nHost: evil\r\n\r\n${GET('/f', 'Connection: close')}`,
    );
    assert.equal(text.split('HTTP/1.1 200 OK').length - 1, 2);
    assert.equal(text.split('HTTP/1.1 ').length - 1, 2);
  });

  it('may end its client’s half of the connection', async (t) => {
    const rack = new HttpRack(t, { big: Buffer.alloc(4 << 20, 'x') });
    const socket = connect({ port: rack.port, host: '127.0.0.1', allowHalfOpen: true });
    socket.end('GET /big HTTP/1.0\r\n\r\n');
    let bytes = 0;
    for await (const chunk of socket) bytes += (chunk as Buffer).length;
    assert.ok(bytes > 4 << 20);
  });
});

async function occupy(rack: HttpRack, count: number, localAddress: string): Promise<Socket[]> {
  const sockets = Array.from({ length: count }, () => connect({ port: rack.port, host: '127.0.0.1', localAddress }));
  for (const socket of sockets) socket.on('error', () => undefined);
  await Promise.all(sockets.map((socket) => new Promise((open) => socket.once('connect', open))));
  return sockets;
}

describe('connections', () => {
  const limits = { perClient: 3, total: 5, spare: 2 };

  it('beyond what one client may have are told to try again, while another client is served', async (t) => {
    const rack = new HttpRack(t, { f: 'hello' }, {}, { connectionLimits: limits });
    const sockets = await occupy(rack, 3, '127.0.0.1');
    t.after(() => sockets.forEach((socket) => socket.destroy()));
    const refused = await ask(rack, '/f');
    assert.deepEqual(
      [refused.status, refused.headers['retry-after'], refused.headers.connection, refused.body.toString()],
      [503, '5', 'close', 'too many connections are open: try again in a while\n'],
    );
    const other = connect({ port: rack.port, host: '127.0.0.1', localAddress: '127.0.0.2' });
    other.write('GET /f HTTP/1.0\r\n\r\n');
    let text = '';
    for await (const chunk of other) text += String(chunk);
    assert.match(text, /hello$/);
    sockets[0]?.destroy();
    await rack.until(() => rack.service.counters()['connections'] === 2);
    assert.equal((await ask(rack, '/f')).status, 200);
    const told = rack.events.filter((event) => event.kind === 'http.refused');
    assert.deepEqual(
      told.map(({ status, address }) => [status, address]),
      [[503, '127.0.0.1']],
    );
  });

  it('beyond what all may have, too; and far beyond, without a word', async (t) => {
    const rack = new HttpRack(t, { f: 'hello' }, {}, { connectionLimits: limits });
    const sockets = [...(await occupy(rack, 3, '127.0.0.1')), ...(await occupy(rack, 2, '127.0.0.2'))];
    t.after(() => sockets.forEach((socket) => socket.destroy()));
    assert.equal((await ask(rack, '/f')).status, 503);
    const more = await occupy(rack, 4, '127.0.0.3');
    t.after(() => more.forEach((socket) => socket.destroy()));
    await rack.until(() => (rack.service.counters()['connections'] ?? 0) <= 7);
    assert.ok((rack.totals()['refused.connections'] ?? 0) >= 3);
    // Those that were only to be told so do not stay
    await rack.until(() => rack.service.counters()['connections'] === 5);
  });
});

describe('the pace of a client', () => {
  const BIG = Buffer.alloc(2_000_000, 'x');
  const clock = { now: () => Date.now(), monotonic: () => performance.now() };

  it('is that of the rack, or of its host by its lease', async (t) => {
    const rack = new HttpRack(t, { big: BIG }, {}, { clock, http: { pace: 4_000_000 } });
    const begun = performance.now();
    assert.equal((await ask(rack, '/big')).body.length, BIG.length);
    const took = performance.now() - begun;
    assert.ok(took > 400, `${took} ms`);
  });

  for (const [what, lease] of [
    ['its MAC', { mac: mac('52:54:00:12:34:56') }],
    ['another sign, which its lease names', { mac: mac('52:54:00:00:00:99'), name: 'node1', host: true }],
  ] as const) {
    it(`that its host has goes before that of the rack, by ${what}`, async (t) => {
      const node1 = { name: 'node1', macs: [mac('52:54:00:12:34:56')], boot: 'local', pace: 4_000_000 };
      const options = { clock, http: { pace: 100_000_000 }, hosts: [node1] };
      const rack = new HttpRack(t, { big: BIG }, {}, options);
      const timed = async (): Promise<number> => {
        const begun = performance.now();
        await ask(rack, '/big');
        return performance.now() - begun;
      };
      const unknown = await timed();
      rack.service.learn([{ address: LOOPBACK, ...lease }], []);
      const known = await timed();
      assert.ok(known > 400 && known > unknown, `${unknown} ms, then ${known} ms`);
    });
  }
});
