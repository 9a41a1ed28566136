import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseCidr } from '../../src/addr/cidr.ts';
import { formatAuthorization } from '../../src/contract/rack-key.ts';
import { openEmptyDatabase } from './empty-database.ts';
import { vouchHeaders } from '../../src/region/vouched-headers.ts';
import { newKey, RegionRig } from './region-rig.ts';

const PROXIES = ['192.0.2.0/24', '127.0.0.1/32'].map((text) => parseCidr(text) ?? assert.fail());

const TABLE = [
  ['nobody else is believed', '203.0.113.1', { for: '198.51.100.1', proto: 'https' }, {}],
  [
    'a balancer of ours is',
    '192.0.2.1',
    { for: '198.51.100.1', proto: 'https' },
    { for: '198.51.100.1', proto: 'https' },
  ],
  ['one that says nothing asks itself', '192.0.2.1', {}, { for: '192.0.2.1' }],
  [
    'what a client wrote before it counts for nothing',
    '192.0.2.1',
    { for: '10.0.0.1, 198.51.100.1' },
    { for: '198.51.100.1' },
  ],
  ['two of ours, one behind the other', '192.0.2.1', { for: '198.51.100.1, 192.0.2.7' }, { for: '198.51.100.1' }],
  ['what is no address ends it', '192.0.2.1', { for: 'unknown, 192.0.2.7' }, { for: '192.0.2.7' }],
  ['an address of IPv6', '192.0.2.1', { for: '2001:db8::1' }, { for: '2001:db8::1' }],
  [
    'of several schemes the last',
    '192.0.2.1',
    { for: '198.51.100.1', proto: 'http, HTTPS' },
    { for: '198.51.100.1', proto: 'https' },
  ],
  ['no scheme of ours', '192.0.2.1', { for: '198.51.100.1', proto: 'gopher' }, { for: '198.51.100.1' }],
  [
    'another host is never believed',
    '192.0.2.1',
    { for: '198.51.100.1', host: 'evil.example' },
    { for: '198.51.100.1' },
  ],
] as const;

function named(words: object): Record<string, string> {
  return Object.fromEntries(Object.entries(words).map(([name, value]) => [`x-forwarded-${name}`, String(value)]));
}

for (const [title, from, said, left] of TABLE) {
  test(`of what proxies say: ${title}`, () => {
    const headers = { 'user-agent': 'a', ...named(said) };
    vouchHeaders(headers, from, PROXIES);
    assert.deepEqual(headers, { 'user-agent': 'a', ...named(left) });
  });
}

test('behind a balancer one who guesses keys shuts out nobody else, and a description has the scheme that was asked by', async () => {
  await using region = await RegionRig.create(await openEmptyDatabase(), { proxies: PROXIES });
  const guess = (from: string) => {
    const authorization = formatAuthorization({ rack: crypto.randomUUID(), key: newKey() });
    return region.ask('GET', '/racks/v1/plan', { authorization, 'x-forwarded-for': from });
  };
  const first = await Promise.all(Array.from({ length: 10 }, () => guess('198.51.100.1')));
  assert.deepEqual(new Set(first.map(({ status }) => status)), new Set([401]));
  assert.equal((await guess('198.51.100.1')).status, 429);
  assert.equal((await guess('198.51.100.2')).status, 401);
  const { body } = await region.ask('GET', '/MAAS/api/2.0/describe/', { 'x-forwarded-proto': 'https' });
  assert.match((body as { handlers: { uri: string }[] }).handlers[0]?.uri ?? '', /^https:/);
});

test('where no balancer is named anybody asks as who he is', async () => {
  await using region = await RegionRig.create(await openEmptyDatabase());
  const headers = { 'x-forwarded-proto': 'https', 'x-forwarded-for': '198.51.100.1' };
  const { body } = await region.ask('GET', '/MAAS/api/2.0/describe/', headers);
  assert.match((body as { handlers: { uri: string }[] }).handlers[0]?.uri ?? '', /^http:/);
  await region.ask('GET', '/racks/v1/plan', headers);
  assert.match(region.log.join(), /"from":"127\.0\.0\.1"/);
});
