import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ApiClient, ApiFault, elsewhere, isOutdated } from '../../src/api-client/api-client.ts';
import type { ApiRequest } from '../../src/api-client/api-request.ts';
import type { WireReply, WireRequest } from '../../src/api-client/send.ts';
import { API_2_0 } from './describe-fixture.ts';

const NOW = Date.parse('2026-11-28T12:00:00Z');
const KEY = { consumer: 'abc', token: 'def', secret: 'a-long-secret' };
const READ: ApiRequest = { method: 'GET', path: '/MAAS/api/2.0/users/', fields: [] };

interface Said {
  readonly status?: number;
  readonly reason?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

function replyOf({ status = 200, reason = '', headers = {}, body = '' }: Said): WireReply {
  const header = (name: string): string | undefined => headers[name];
  return { status, reason, headers: Object.entries(headers), header, type: '', body: Buffer.from(body) };
}

/** A client, of a server that says these one after the other. */
function clientOf(...replies: readonly Said[]) {
  const sent: WireRequest[] = [];
  const traced: string[] = [];
  const client = new ApiClient({
    address: 'http://region.example/MAAS/api/2.0/',
    key: KEY,
    trust: {},
    send: (request) => {
      sent.push(request);
      return Promise.resolve(replyOf(replies[sent.length - 1] ?? { status: 500 }));
    },
    now: () => NOW,
    trace: (line) => traced.push(line),
  });
  return { client, sent, traced };
}

const stampOf = ({ headers }: WireRequest | undefined = {} as WireRequest): string =>
  /oauth_timestamp="(\d+)"/.exec(String(headers['authorization']))?.[1] ?? '';
const at = (milliseconds: number): Said => ({ status: 401, headers: { date: new Date(milliseconds).toUTCString() } });

test('a key that is refused by a server of another time is said once more by its clock', async () => {
  const { client, sent } = clientOf(at(NOW + 3_600_000), { status: 200 });
  assert.equal((await client.call(READ)).status, 200);
  assert.deepEqual(sent.map(stampOf), [String(NOW / 1000), String(NOW / 1000 + 3600)]);
  const nonces = sent.map(({ headers }) => /oauth_nonce="(\w+)"/.exec(String(headers['authorization']))?.[1]);
  assert.equal(new Set(nonces).size, 2);
});

const SENT_ONCE: readonly (readonly [title: string, reply: Said])[] = [
  ['of our time', at(NOW + 29_000)],
  ['that does not tell its time', { status: 401 }],
  ['whose time is none', { status: 401, headers: { date: 'yesterday' } }],
  ['that refuses something else', { ...at(0), status: 403 }],
];
for (const [title, reply] of SENT_ONCE) {
  test(`a server ${title} is asked once`, async () => {
    const { client, sent } = clientOf(reply);
    await client.call(READ);
    assert.equal(sent.length, 1);
  });
}

test('a server that refuses the second time too is believed', async () => {
  const { client, sent } = clientOf(at(0), at(0), at(0));
  assert.equal((await client.call(READ)).status, 401);
  assert.equal(sent.length, 2);
});

test('fields travel as a form, files as files, and a form without any is empty', async () => {
  const { client, sent } = clientOf({}, {});
  const bytes = Uint8Array.of(0, 255);
  const fields = [
    ['os', 'ü "x"'],
    ['os', 'b'],
    ['f"\r\n', { fileName: 'k.gpg', bytes }],
  ] as const;
  await client.call({ method: 'POST', path: '/x/?op=y', fields });
  await client.call({ method: 'POST', path: '/x/', fields: [] });
  const [first, second] = sent;
  const { 'content-type': type = '', 'content-length': length } = first?.headers ?? {};
  assert.match(String(type), /^multipart\/form-data; boundary=/);
  assert.equal(length, first?.body?.length);
  const form = await new Response(new Uint8Array(first?.body ?? []), {
    headers: { 'content-type': String(type) },
  }).formData();
  assert.deepEqual(form.getAll('os'), ['ü "x"', 'b']);
  const file = [...form.values()].find((value) => typeof value !== 'string');
  assert.equal(file?.name, 'k.gpg');
  assert.deepEqual(new Uint8Array((await file?.arrayBuffer()) ?? []), bytes);
  assert.deepEqual([second?.body, second?.headers['content-length']], [undefined, 0]);
});

test('a description is asked for without the key', async () => {
  const { client, sent } = clientOf({ body: JSON.stringify(API_2_0) });
  assert.equal((await client.describe()).resources.length, 4);
  assert.deepEqual([sent[0]?.path, sent[0]?.headers['authorization']], ['/MAAS/api/2.0/describe/', undefined]);
});

const UNDESCRIBED: readonly (readonly [title: string, reply: Said, sentence: string])[] = [
  [
    'has nothing there',
    { status: 404, reason: 'Not Found' },
    'http://region.example/MAAS/api/2.0/describe/ answers 404 Not Found',
  ],
  [
    'sends us away',
    { status: 301, reason: 'Moved', headers: { location: 'https://region.example/\u001b[2J' } },
    'http://region.example/MAAS/api/2.0/describe/ answers 301 Moved: it is at https://region.example/\ufffd[2J now, where a login of its own is needed',
  ],
  [
    'says something else',
    { body: '<html>' },
    'http://region.example/MAAS/api/2.0/describe/ is no description of an API: it is no JSON',
  ],
  [
    'describes other things',
    { body: '{"resources":{}}' },
    'http://region.example/MAAS/api/2.0/describe/ is no description of an API: resources: expected array, received object',
  ],
];
for (const [title, reply, sentence] of UNDESCRIBED) {
  test(`a server that ${title} is no API`, async () => {
    await assert.rejects(clientOf(reply).client.describe(), (error) => {
      assert.ok(error instanceof ApiFault);
      assert.equal(error.message, sentence);
      return true;
    });
  });
}

test('a key is proven, or why not is said', async () => {
  const good = clientOf({});
  await good.client.prove();
  assert.equal(good.sent[0]?.path, '/MAAS/api/2.0/users/?op=whoami');
  await assert.rejects(clientOf(at(NOW)).client.prove(), /^ApiFault: .* does not know this key$/);
  await assert.rejects(
    clientOf({ status: 429, reason: 'Too Many a-long-secret' }).client.prove(),
    /does not take this key: 429 Too Many \(not shown\)$/,
  );
});

test('what is traced is all but secrets', async () => {
  const { client, traced } = clientOf({ status: 404, reason: 'Not Found', headers: { x: 'y' } });
  const file = { fileName: 'k', bytes: Uint8Array.of(1) };
  await client.call({
    method: 'POST',
    path: '/x/',
    fields: [
      ['os', 'a'],
      ['power_pass', 'b'],
      ['k', file],
    ],
  });
  const shown = traced.map((line) => line.replace(/boundary=.*/, 'boundary').replace(/length: \d+/, 'length'));
  assert.deepEqual(shown, [
    '> POST /x/',
    '> host: region.example',
    '> accept: */*',
    '> content-type: multipart/form-data; boundary',
    '> content-length',
    '> authorization: OAuth (the key is not shown)',
    '> os=a',
    '> power_pass=(not shown)',
    '> k@=k (1 bytes)',
    '< 404 Not Found',
    '< x: y',
  ]);
});

const withHash = (hash?: string) => replyOf(hash === undefined ? {} : { headers: { 'x-maas-api-hash': hash } });

test('a description is outdated when the server has another one, and says so', () => {
  assert.equal(isOutdated({ hash: 'a', resources: [] }, withHash('b')), true);
  assert.equal(isOutdated({ hash: 'a', resources: [] }, withHash('a')), false);
  assert.equal(isOutdated({ hash: 'a', resources: [] }, withHash()), false);
  assert.equal(isOutdated({ resources: [] }, withHash('a')), false);
});

test('only what sends us away is elsewhere', () => {
  assert.equal(elsewhere(replyOf({ status: 201, headers: { location: '/x/' } })), '');
  assert.equal(elsewhere(replyOf({ status: 302 })), '');
});
