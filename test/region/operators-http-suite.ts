import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { after, before, describe, test } from 'node:test';

import type { Database } from '../../src/region/database/database.ts';
import type { KeyParts } from '../../src/region/operators/keys.ts';
import { oauthOf, RegionRig } from './region-rig.ts';

const MIB = 1024 * 1024;
const FORM = 'application/x-www-form-urlencoded';

/** As the client of MAAS has it: parts in base64, a boundary as Python makes them, and no end of a line at the end. */
function maasMultipart(fields: Readonly<Record<string, string>>): { readonly type: string; readonly body: string } {
  const boundary = '===============1234567890123456789==';
  const parts = Object.entries(fields).map(([name, value]) =>
    [
      `--${boundary}`,
      'Content-Type: application/octet-stream',
      'MIME-Version: 1.0',
      'Content-Transfer-Encoding: base64',
      `Content-Disposition: form-data; name="${name}"`,
      '',
      Buffer.from(value).toString('base64'),
      '',
    ].join('\r\n'),
  );
  return {
    type: `multipart/form-data; boundary="${boundary}"`,
    body: `${parts.join('\r\n')}\r\n--${boundary}--`,
  };
}

/** The first of describe, as it is told to who asks for it by this name. */
async function firstUri(region: RegionRig, host: string): Promise<string | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const outgoing = httpRequest(`${region.url}/MAAS/api/2.0/describe/`, { headers: { host } }, (incoming) => {
    incoming
      .setEncoding('utf8')
      .toArray()
      .then((chunks) => resolve(chunks.join('')), reject);
  });
  outgoing.once('error', reject).end();
  return (JSON.parse(await promise) as { handlers: { uri: string }[] }).handlers[0]?.uri;
}

/** How the operators' API is with requests, on any database. `open` gives an empty one. */
export function testOperatorsHttp(title: string, open: () => Promise<Database>): void {
  describe(`${title}: an operator's request`, () => {
    let region: RegionRig;
    let key: KeyParts;
    before(async () => {
      region = await RegionRig.create(await open());
      key = await region.key();
    });
    after(() => region[Symbol.asyncDispose]());

    const fetchAs = (
      method: string,
      path: string,
      type?: string,
      body?: string,
      more: object = {},
    ): Promise<Response> =>
      fetch(`${region.url}/MAAS/api/${path}`, {
        method,
        headers: { authorization: oauthOf(key), ...(type !== undefined && { 'content-type': type }), ...more },
        ...(body !== undefined && { body }),
      });

    test('without a key is told how one is said, when it is, and which API this is', async () => {
      const reply = await fetch(`${region.url}/MAAS/api/2.0/subnets/`);
      assert.equal(reply.status, 401);
      assert.equal(reply.headers.get('www-authenticate'), 'OAuth realm="OAuth"');
      assert.ok(Math.abs(Date.parse(reply.headers.get('date') ?? '') - Date.now()) < 60_000);
      assert.match(reply.headers.get('x-maas-api-hash') ?? '', /^[0-9a-f]{40}$/);
      assert.equal(await reply.text(), 'expected a key of this region: Authorization: OAuth …\n');
    });

    const BAD_HEADERS: readonly (readonly [what: string, change: (header: string) => string])[] = [
      ['a NUL in the token', (header) => header.replace(/oauth_token="[^"]*"/, 'oauth_token="%00"')],
      ['a token with a quote of SQL', (header) => header.replace(/oauth_token="[^"]*"/, `oauth_token="' OR ''='"`)],
      ['half a percent sign', (header) => header.replace(/oauth_token="[^"]*"/, 'oauth_token="%f"')],
      ['no signature', (header) => header.replace(/oauth_signature="[^"]*", /, '')],
      ['a signature that is not plain text', (header) => header.replace('PLAINTEXT', 'HMAC-SHA1')],
      ['a consumer of another key', (header) => header.replace(/consumer_key="./, 'consumer_key="_')],
      ['a wrong secret', (header) => header.replace('%26', '%26x')],
      ['a secret of the consumer', (header) => header.replace('%26', 'x%26')],
      ['a key of another kind', () => 'Bearer abc'],
      ['a header without end', (header) => header + ', x="y"'.repeat(500)],
    ];
    for (const [what, change] of BAD_HEADERS) {
      test(`with ${what} is nobody's`, async () => {
        const { status } = await region.ask('GET', '/MAAS/api/2.0/users/?op=whoami', {
          authorization: change(oauthOf(key)),
        });
        assert.equal(status, 401);
      });
    }

    test('is heard although others guess from its address', async () => {
      assert.equal((await region.operate(key, 'GET', '2.0/users/?op=whoami')).status, 200);
      const guess = { ...key, secret: 'x' };
      const statuses = new Set<number>();
      for (let i = 0; i < 12; i++) statuses.add((await region.operate(guess, 'GET', '2.0/users/?op=whoami')).status);
      assert.deepEqual([...statuses], [401, 429]);
      assert.equal((await region.operate(key, 'GET', '2.0/users/?op=whoami')).status, 200);
    });

    test('may leave out the slash at the end, and ask for the head alone', async () => {
      assert.equal((await fetchAs('GET', '2.0/subnets')).status, 200);
      const head = await fetchAs('HEAD', '2.0/subnets/');
      assert.deepEqual(
        [head.status, head.headers.get('content-type'), await head.text()],
        [200, 'application/json', ''],
      );
    });

    test('by a method that is not there is told which are', async () => {
      for (const [method, path, allow] of [
        ['DELETE', '2.0/subnets/', 'GET, POST, HEAD'],
        ['PATCH', '2.0/subnets/1/', 'GET, PUT, DELETE, HEAD'],
        ['POST', '2.0/describe/', 'GET, HEAD'],
        ['OPTIONS', '2.0/users/', 'GET, HEAD'],
      ] as const) {
        const reply = await fetchAs(method, path);
        assert.deepEqual([reply.status, reply.headers.get('allow')], [405, allow], `${method} ${path}`);
      }
    });

    test('for an op that is not there, or for two, is told so', async () => {
      const unknown = await fetchAs('POST', '2.0/boot-resources/?op=nothing');
      assert.deepEqual(
        [unknown.status, await unknown.text()],
        [400, 'unrecognised signature: method=POST op=nothing\n'],
      );
      assert.equal((await fetchAs('POST', '2.0/boot-resources/?op=import&op=stop_import')).status, 400);
      assert.equal((await fetchAs('GET', '2.0/boot-resources/?op=import')).status, 400);
    });

    test('for what is not there is told so in words', async () => {
      for (const path of [
        '2.0/nothing/',
        '2.0/subnets/999/',
        '2.0/subnets/1e3/',
        '2.0/boot-sources/-1/',
        '1.0/subnets/',
      ]) {
        const reply = await fetchAs('GET', path);
        assert.equal(reply.status, 404, path);
        assert.match(reply.headers.get('content-type') ?? '', /^text\/plain/);
        assert.match(await reply.text(), /^there is no/);
      }
      assert.equal((await fetchAs('GET', '2.0/subnets/%ff/')).status, 400);
      assert.equal((await fetchAs('GET', '2.0/subnets/a%0d%0ab/')).status, 400);
    });

    const url = 'http://mirror.example/images/';
    const BODIES: readonly (readonly [what: string, type: string, body: string])[] = [
      ['an urlencoded form', FORM, `url=${encodeURIComponent(url)}&skip_keyring_verification=true`],
      ['JSON', 'application/json', JSON.stringify({ url, skip_keyring_verification: true })],
      [
        'JSON with lists',
        'application/json; charset=utf-8',
        JSON.stringify({ url: [url], skip_keyring_verification: ['1'] }),
      ],
      [
        'multipart as browsers have it',
        'multipart/form-data; boundary=abcdefghijklmnopqrstuvwxyz012345',
        [
          ['url', url],
          ['skip_keyring_verification', 'yes'],
        ]
          .map(
            ([name, value]) =>
              `--abcdefghijklmnopqrstuvwxyz012345\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
          )
          .join('') + '--abcdefghijklmnopqrstuvwxyz012345--\r\n',
      ],
      [
        'multipart as the client of MAAS has it',
        maasMultipart({ url, skip_keyring_verification: 'True' }).type,
        maasMultipart({ url, skip_keyring_verification: 'True' }).body,
      ],
    ];
    for (const [what, type, body] of BODIES) {
      test(`may be ${what}`, async () => {
        const reply = await fetchAs('POST', '2.0/boot-sources/', type, body);
        const made = (await reply.json()) as { url: string; id: number; skip_keyring_verification: boolean };
        assert.deepEqual([reply.status, made.url, made.skip_keyring_verification], [201, url, true]);
        assert.equal((await fetchAs('DELETE', `2.0/boot-sources/${made.id}/`)).status, 204);
      });
    }

    test('may have its op in the body, as old clients have it', async () => {
      const reply = await fetchAs('POST', '1.0/boot-resources/', FORM, 'op=import');
      assert.deepEqual([reply.status, await reply.text()], [200, 'Import of boot resources started']);
    });

    const parts = `--${'a'.repeat(30)}\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n`;
    const UNFIT: readonly (readonly [what: string, type: string, body: string, status: number])[] = [
      ['text', 'text/plain', 'url=x', 415],
      ['JSON that is none', 'application/json', '{', 400],
      ['a list', 'application/json', '[]', 400],
      ['an object in an object', 'application/json', '{"url":{}}', 400],
      ['deep JSON', 'application/json', '['.repeat(500_000), 400],
      ['multipart without a boundary', 'multipart/form-data', parts, 400],
      ['multipart that does not end', `multipart/form-data; boundary=${'a'.repeat(30)}`, parts, 400],
      ['a million fields', FORM, 'a&'.repeat(MIB / 2), 400],
      ['twenty thousand parts', `multipart/form-data; boundary=${'a'.repeat(30)}`, parts.repeat(20_000), 400],
      ['a field of 1 MiB', FORM, `url=${'x'.repeat(MIB)}`, 400],
      ['a field of 1 MiB of blanks', FORM, `keyring_data=A${'+'.repeat(MIB)}!`, 400],
      ['more than 2 MiB', FORM, `url=${'x'.repeat(2 * MIB)}`, 413],
      ['half a character', 'application/json', String.raw`{"url":"\ud800"}`, 409],
      ['a NUL', 'application/json', String.raw`{"url":"\u0000"}`, 400],
      ['what would be another header', FORM, 'url=http://x.example/%0d%0aX-Y:%20z', 400],
      ['an unknown field', FORM, 'url=http://x.example/&__proto__=1&constructor=2', 400],
    ];
    for (const [what, type, body, status] of UNFIT) {
      test(`with ${what} is refused and changes nothing`, { timeout: 30_000 }, async () => {
        const started = await region.database.query('SELECT count(*) AS n FROM boot_source');
        const reply = await fetchAs('POST', '2.0/boot-sources/', type, body);
        assert.equal(reply.status, status, await reply.text());
        assert.equal(reply.headers.get('x-y'), null);
        assert.deepEqual(await region.database.query('SELECT count(*) AS n FROM boot_source'), started);
      });
    }

    test('that lacks a field, and has one that is not known, hears of both by name', async () => {
      const { status, body } = await region.operate(key, 'POST', '2.0/boot-sources/', {
        colour: 'red',
        priority: '1.5',
      });
      assert.equal(status, 400);
      assert.deepEqual(body, {
        colour: [
          'unknown; known are url, name, keyring_filename, keyring_data, priority, enabled, skip_keyring_verification',
        ],
        url: ['expected: this field is required'],
        priority: ['expected a whole number from 0 to 1000000'],
      });
    });

    test('finds whole URIs in describe, of the place where it asked, and no other', async () => {
      assert.equal(await firstUri(region, 'region.example:5240'), 'http://region.example:5240/MAAS/api/2.0/version/');
      assert.equal(await firstUri(region, '[2001:db8::1]:5240'), 'http://[2001:db8::1]:5240/MAAS/api/2.0/version/');
      assert.equal(await firstUri(region, 'x.example/evil?'), '/MAAS/api/2.0/version/');
    });

    test('with a wrong key leaves nothing of the key in the log', async () => {
      const secret = 'verySecretWord';
      await region.operate({ ...key, secret }, 'GET', '2.0/users/?op=whoami');
      assert.ok(!region.log.some((line) => line.includes(secret) || line.includes(key.secret)));
    });
  });
}
