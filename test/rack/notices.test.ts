import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Notices } from '../../src/rack/notices.ts';
import type { EventBody } from '../../src/timeline/event.ts';

test('trouble stands once until it ends, and what has no end stands on', () => {
  const notices = new Notices();
  const learn = (body: EventBody): void => notices.learn({ ...body, at: 0, source: 'dhcp' });
  learn({ kind: 'dhcp.store-replaced', reason: 'r', setAside: '/s', recovered: 2 });
  learn({ kind: 'dhcp.store-failed', reason: 'full' });
  learn({ kind: 'dhcp.store-failed', reason: 'full' });
  learn({ kind: 'dhcp.release' });
  assert.equal(notices.all().length, 2);
  learn({ kind: 'dhcp.store-works' });
  assert.deepEqual(notices.all(), [
    '1970-01-01T00:00:00.000Z dhcp: the lease file is damaged (r): set aside as /s, 2 leases recovered from it',
  ]);
});

test('that addresses are offered unseen stands until they are looked for', () => {
  const notices = new Notices();
  const learn = (body: EventBody): void => notices.learn({ ...body, at: 0, source: 'dhcp' });
  learn({ kind: 'dhcp.conflict-check-off', interfaces: ['eth0'] });
  assert.match(notices.all().join('\n'), /no raw socket on eth0$/);
  learn({ kind: 'dhcp.conflict-check-on' });
  assert.deepEqual(notices.all(), []);
});

test('each upstream has troubles of its own, and none outlives the service that sees them', () => {
  const notices = new Notices();
  const learn = (body: EventBody): void => notices.learn({ ...body, at: 0, source: 'dns' });
  for (const upstream of ['192.0.2.1', '192.0.2.2', '192.0.2.3']) {
    learn({ kind: 'dns.upstream-failed', upstream, reason: 'no answer' });
  }
  learn({ kind: 'dns.tls-failed', upstream: '192.0.2.2', reason: 'expired' });
  learn({ kind: 'dns.upstream-works', upstream: '192.0.2.1', seconds: 1 });
  learn({ kind: 'dns.upstream-dismissed', upstream: '192.0.2.3' });
  assert.deepEqual(notices.all(), [
    '1970-01-01T00:00:00.000Z dns: the upstream 192.0.2.2 does not answer: no answer',
    '1970-01-01T00:00:00.000Z dns: no TLS with the upstream 192.0.2.2: expired',
  ]);
  learn({ kind: 'service.failed', service: 'dns', reason: 'x', retryMilliseconds: 100 });
  assert.equal(notices.all().length, 1);
  learn({ kind: 'dns.tls-works', upstream: '192.0.2.2' });
  assert.deepEqual(notices.all(), []);
});

test('that no file of an image is removed stands, once, until it is over', () => {
  const notices = new Notices();
  const learn = (body: EventBody): void => notices.learn({ ...body, at: 0, source: 'importer' });
  learn({ kind: 'image.removal-held', reason: 'no such file', since: 0 });
  learn({ kind: 'image.removal-held', reason: 'no such file', since: 0 });
  assert.equal(notices.all().length, 1);
  assert.match(notices.all().join(), /no file of an image is removed, as the index of images was begun anew/);
  learn({ kind: 'image.removal-resumed' });
  assert.deepEqual(notices.all(), []);
});

test('a DHCP server that is not known stands with its MAC, as soon as that is known; that there are more than are shown, too', () => {
  const notices = new Notices();
  const learn = (body: EventBody, mac?: string): void =>
    notices.learn({ ...body, at: 0, source: 'watch', ...(mac !== undefined && { mac }) });
  const found = { kind: 'dhcp-server.found', interface: 'eth0', server: '10.0.0.9' } as const;
  learn(found);
  learn(found, '02:00:00:00:00:99');
  learn({ kind: 'dhcp-server.hidden', shown: 16 });
  learn({ kind: 'conflict.hidden', conflict: 'squatted', shown: 24 });
  const time = '1970-01-01T00:00:00.000Z watch:';
  assert.deepEqual(notices.all(), [
    `${time} a DHCP server that is not known, 10.0.0.9, is on eth0 (its MAC is 02:00:00:00:00:99)`,
    `${time} there are more DHCP servers that are not known than the 16 that are shown: somebody makes them up`,
    `${time} there are more conflicts of the kind squatted than the 24 that are shown`,
  ]);
  learn({ kind: 'conflict.shown', conflict: 'squatted' });
  learn({ kind: 'dhcp-server.shown' });
  assert.equal(notices.all().length, 1);
});

test('each conflict and each strange DHCP server stands by itself until it is over, and none outlives the watch that saw it', () => {
  const notices = new Notices();
  const learn = (body: EventBody, address?: string): void =>
    notices.learn({
      ...body,
      at: 0,
      source: 'watch',
      ...(address !== undefined && { mac: '02:00:00:00:00:0e', address }),
    });
  const squatted = { interface: 'eth0', conflict: 'squatted' } as const;
  for (const address of ['192.0.2.1', '192.0.2.2']) learn({ kind: 'conflict.began', ...squatted }, address);
  learn({ kind: 'dhcp-server.found', interface: 'eth0', server: '10.0.0.9' });
  learn({ kind: 'dhcp-server.found', interface: 'eth1', server: '10.0.0.9' });
  assert.equal(notices.all().length, 4);
  learn({ kind: 'conflict.ended', ...squatted, seconds: 9 }, '192.0.2.1');
  learn({ kind: 'dhcp-server.gone', interface: 'eth1', server: '10.0.0.9' });
  assert.deepEqual(notices.all(), [
    '1970-01-01T00:00:00.000Z watch: 02:00:00:00:00:0e 192.0.2.2 uses an address of a range that nobody lent it (on eth0)',
    '1970-01-01T00:00:00.000Z watch: a DHCP server that is not known, 10.0.0.9, is on eth0',
  ]);
  learn({ kind: 'service.failed', service: 'watch', reason: 'r', retryMilliseconds: 100 });
  assert.deepEqual(notices.all(), []);
});

test('that the region is away, or does not know this rack, stands as one line until it is back', () => {
  const notices = new Notices();
  const learn = (body: EventBody): void => notices.learn({ ...body, at: 0, source: 'sync' });
  learn({ kind: 'region.lost', url: 'https://a', reason: 'r' });
  learn({ kind: 'region.refused', reason: 'answers 401' });
  learn({ kind: 'region.clock-wrong', seconds: 90 });
  assert.equal(notices.all().length, 2);
  assert.match(notices.all()[0] ?? '', /does not know this rack: answers 401/);
  learn({ kind: 'region.connected', url: 'https://a' });
  learn({ kind: 'region.clock-right' });
  assert.deepEqual(notices.all(), []);
  learn({ kind: 'region.refused', reason: 'r' });
  learn({ kind: 'service.failed', service: 'sync', reason: 'x', retryMilliseconds: 100 });
  assert.deepEqual(notices.all(), []);
});

test('that events were given up stands for good: they are lost', () => {
  const notices = new Notices();
  const learn = (body: EventBody): void => notices.learn({ ...body, at: 0, source: 'sync' });
  learn({ kind: 'region.forgotten', count: 3, before: 1 });
  learn({ kind: 'region.connected', url: 'https://a', seconds: 9 });
  assert.equal(notices.all().length, 1);
});
