import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';

import { Ledger, type Exchange } from '../../src/http/ledger.ts';
import type { EventBody } from '../../src/timeline/event.ts';

/** A ledger whose answers leave when the test says so. */
class Desk {
  readonly events: EventBody[] = [];
  time = 0;
  readonly ledger = new Ledger(
    { emit: (event) => void this.events.push(event) },
    { now: () => this.time, monotonic: () => this.time },
  );

  open(path: string, exchange: Partial<Exchange> = {}): EventEmitter {
    const method = exchange.method ?? 'GET';
    const response = Object.assign(new EventEmitter(), {
      statusCode: 200,
      writableFinished: true,
      socket: null,
      req: { method },
      getHeader: () => '7000000',
    });
    const whole = { method, path, subject: { address: '192.0.2.5' }, ...exchange };
    this.ledger.open(whole, response as unknown as ServerResponse);
    return response;
  }

  lookAt(seconds: number): EventBody[] {
    this.time = seconds * 1000;
    this.ledger.tellUnderWay();
    return this.events.splice(0);
  }
}

test('a file that is long on its way is told of once, and when it has arrived', () => {
  const desk = new Desk();
  const kernel = desk.open('/debian/vmlinuz');
  assert.deepEqual(desk.lookAt(19), []);
  const told = { kind: 'http.under-way', path: '/debian/vmlinuz', bytes: 7_000_000, milliseconds: 25_000 };
  assert.deepEqual(desk.lookAt(25), [told]);
  assert.deepEqual(desk.lookAt(60), []);
  kernel.emit('close');
  assert.deepEqual(
    desk.lookAt(61).map(({ kind }) => kind),
    ['http.sent'],
  );
});

test('what has left, what is refused and what carries no bytes is not on its way', () => {
  const desk = new Desk();
  desk.open('/gone').emit('close');
  desk.open('/head', { method: 'HEAD' });
  desk.open('/no', { refusal: { status: 404, label: 'not-found', reason: 'no such file' } });
  desk.open('/late');
  assert.deepEqual(
    desk.lookAt(30).map((event) => [event.kind, 'path' in event && event.path]),
    [
      ['http.sent', '/gone'],
      ['http.under-way', '/late'],
    ],
  );
});

test('the event of a machine’s script says which entry it boots, or its own disk', () => {
  const desk = new Desk();
  const script = { kind: 'text', text: '', contentType: 'text/plain' } as const;
  const of = 0x525400123456 as never;
  desk.open('/boot.ipxe', { found: script }).emit('close');
  desk.open('/ipxe/a', { found: { ...script, script: { of, entry: 'debian' } } }).emit('close');
  desk.open('/ipxe/b', { found: { ...script, script: { of } } }).emit('close');
  assert.deepEqual(
    desk.events.map((event) => event.kind === 'http.sent' && event.boots),
    [undefined, 'debian', 'local'],
  );
});
