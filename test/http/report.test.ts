import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, it, type TestContext } from 'node:test';

import type { Mac } from '../../src/addr/mac.ts';
import { ask, HttpRack, LOOPBACK, NOW, type Answer, type Question } from './http-rack.ts';

const LEASE = { address: LOOPBACK, mac: 0x525400123456 as Mac, name: 'node1', expires: NOW / 1000 + 60 };

function leasedRack(t: TestContext): HttpRack {
  const rack = new HttpRack(t, { f: 'hello' });
  rack.service.learn([LEASE], []);
  return rack;
}

function post(rack: HttpRack, body: string | Buffer, headers: Question['headers'] = {}): Promise<Answer> {
  return ask(rack, '/report', { method: 'POST', headers, body });
}

describe('POST /report', () => {
  it('makes an event of the machine that holds the address', async (t) => {
    const rack = leasedRack(t);
    const answer = await post(rack, '{"stage":"up","cores":2}');
    assert.equal(answer.status, 204);
    assert.equal(answer.body.length, 0);
    assert.deepEqual(await rack.event('machine.report'), {
      kind: 'machine.report',
      report: { stage: 'up', cores: 2 },
      mac: '52:54:00:12:34:56',
      address: '127.0.0.1',
    });
  });

  it('takes any content type, and a body in chunks', async (t) => {
    const rack = leasedRack(t);
    for (const type of ['application/json', 'application/x-www-form-urlencoded', 'nonsense']) {
      const headers = { 'content-type': type, 'transfer-encoding': 'chunked' };
      assert.equal((await post(rack, '{"stage":"up"}', headers)).status, 204);
    }
  });

  it('is refused to an address without a lease', async (t) => {
    const rack = new HttpRack(t);
    const strangers: readonly (() => void)[] = [
      () => undefined,
      () => rack.service.learn([{ ...LEASE, expires: NOW / 1000 }], []),
      () => {
        rack.service.learn([LEASE], []);
        rack.service.learn([], [LOOPBACK]);
      },
    ];
    for (const arrange of strangers) {
      arrange();
      const answer = await post(rack, '{"stage":"up"}');
      assert.equal(answer.status, 403);
      assert.equal(answer.body.toString(), 'reports are taken only from an address that holds a lease\n');
    }
    assert.equal(rack.service.counters()['refused.no-lease'], 3);
    assert.ok(rack.events.every((event) => event.kind !== 'machine.report'));
  });

  for (const pause of [0, 50]) {
    it(`whose body goes wrong ${pause === 0 ? 'at once' : 'later'} is refused, and the connection ends`, async (t) => {
      const rack = leasedRack(t);
      const head = 'POST /report HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n';
      const wrong = 'x\r\n';
      const socket = connect(rack.port, '127.0.0.1');
      socket.write(pause === 0 ? `${head}${wrong}` : head);
      if (pause > 0) setTimeout(() => socket.write(wrong), pause);
      let text = '';
      for await (const chunk of socket) text += String(chunk);
      assert.match(text, /^HTTP\/1\.1 400 Bad Request\r\n[^]*\r\n\r\nthe report was cut off\n$/);
    });
  }

  it('takes 64 KiB and not a byte more, told beforehand or not', async (t) => {
    const rack = leasedRack(t);
    const full = `{"stage":"up"${' '.repeat(64 * 1024 - 14)}}`;
    assert.equal(full.length, 64 * 1024);
    assert.equal((await post(rack, full)).status, 204);
    for (const headers of [{ 'content-length': String(full.length + 1) }, { 'transfer-encoding': 'chunked' }]) {
      const answer = await post(rack, `${full} `, headers);
      assert.equal(answer.status, 413);
      assert.equal(answer.body.toString(), 'a report has at most 65536 bytes\n');
    }
    assert.equal((await post(rack, Buffer.alloc(8 << 20, 0x20))).status, 413);
  });

  it('says what is wrong with a report', async (t) => {
    const rack = leasedRack(t);
    const answer = await post(rack, '{"stage":"up","cores":"two"}');
    assert.equal(answer.status, 400);
    assert.equal(answer.body.toString(), 'cores: expected a whole number from 0 to 65536\n');
    assert.equal((await rack.event('http.refused')).mac, '52:54:00:12:34:56');
    assert.equal((await post(rack, 'cores=2')).status, 400);
  });

  it('is the only way to report', async (t) => {
    const rack = leasedRack(t);
    const answer = await ask(rack, '/report');
    assert.equal(answer.status, 405);
    assert.equal(answer.headers.allow, 'POST');
  });
});

describe('an address with a lease', () => {
  it('puts the machine’s MAC to what it fetched', async (t) => {
    const rack = leasedRack(t);
    await ask(rack, '/f');
    assert.equal((await rack.event('http.sent')).mac, '52:54:00:12:34:56');
  });
});
