import assert from 'node:assert/strict';
import { test } from 'node:test';

import { WireBook } from '../../src/story/wire-book.ts';
import type { EventBody, RackEvent } from '../../src/timeline/event.ts';

const HOUR = 3_600_000;
const USES = { interface: 'eth0', conflict: 'squatted' } as const;

function told(body: EventBody, at = 0, subject: { mac?: string; address?: string } = {}): RackEvent {
  return { ...body, ...subject, at, source: 'watch' };
}

function found(server: string): RackEvent {
  return told({ kind: 'dhcp-server.found', interface: 'eth0', server });
}

test('a DHCP server that was found is there until it is gone, one that a machine chose for an hour', () => {
  const book = new WireBook();
  book.learn(found('10.0.0.9'));
  book.learn(told({ kind: 'dhcp.ignored', reason: 'it chose another', server: '10.0.0.7' }));
  assert.deepEqual(book.otherServers(1), ['10.0.0.9', '10.0.0.7']);
  assert.deepEqual(book.otherServers(48 * HOUR), ['10.0.0.9']);
  book.learn(told({ kind: 'dhcp-server.gone', interface: 'eth0', server: '10.0.0.9' }));
  assert.deepEqual(book.otherServers(48 * HOUR), []);
});

test('a conflict is there until it is over', () => {
  const book = new WireBook();
  const subject = { mac: '02:00:00:00:00:0b', address: '192.0.2.5' };
  book.learn(told({ kind: 'conflict.began', ...USES }, 5, subject));
  book.learn(told({ kind: 'conflict.ended', ...USES, seconds: 3 }, 8, { ...subject, address: '192.0.2.6' }));
  assert.deepEqual(
    book.conflicts().map(({ at }) => at),
    [5],
  );
  book.learn(told({ kind: 'conflict.ended', ...USES, seconds: 3 }, 9, subject));
  assert.deepEqual(book.conflicts(), []);
});

test('what a watch told before it started anew is over unless it tells it again', () => {
  const book = new WireBook();
  book.learn(found('10.0.0.9'));
  book.learn(told({ kind: 'conflict.began', ...USES }));
  book.learn(told({ kind: 'service.ready', service: 'dhcp' }));
  assert.equal(book.conflicts().length, 1);
  book.learn(told({ kind: 'service.ready', service: 'watch' }));
  assert.deepEqual([book.conflicts(), book.otherServers(1)], [[], []]);
});

test('made-up servers and conflicts are kept to a number', () => {
  const book = new WireBook();
  for (let n = 0; n < 1_000; n++) {
    book.learn(found(`10.0.0.${n}`));
    book.learn(told({ kind: 'dhcp.ignored', reason: 'r', server: `10.1.0.${n}` }));
    book.learn(told({ kind: 'conflict.began', ...USES }, 0, { address: `192.0.2.${n}` }));
  }
  assert.deepEqual([book.otherServers(1).length, book.conflicts().length], [4, 128]);
});
