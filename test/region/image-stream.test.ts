import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { openEmbeddedDatabase } from '../../src/region/database/embedded-database.ts';
import { announceImages } from '../../src/region/image-stream.ts';
import { RegionRig } from './region-rig.ts';

const STREAM = '/MAAS/images-stream';
const INDEX = `${STREAM}/streams/v1/index.json`;

describe("the region's own images", () => {
  const directory = mkdtempSync(join(tmpdir(), 'rackboot-stream-'));
  const images = join(directory, 'images');
  let region: RegionRig;

  before(async () => {
    mkdirSync(join(images, 'streams/v1'), { recursive: true });
    writeFileSync(join(images, 'streams/v1/index.json'), '{"index":{}}');
    writeFileSync(join(images, 'empty'), '');
    writeFileSync(join(images, 'a b'), 'blank');
    writeFileSync(join(directory, 'secret'), 'secret');
    symlinkSync(join(directory, 'secret'), join(images, 'way-out'));
    region = await RegionRig.create(await openEmbeddedDatabase('memory://'), { images });
  });
  after(async () => {
    await region[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });

  /** As it is written: `fetch` would tidy the path. */
  async function ask(path: string, headers: Record<string, string> = {}, method = 'GET') {
    const outgoing = request(region.url, { path, headers, method, agent: false }).end();
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    const body = (await response.setEncoding('utf8').toArray()).join('');
    return { status: response.statusCode, body, headers: response.headers };
  }

  test('a file is sent whole, or the part that is asked for', async () => {
    const whole = await ask(INDEX);
    assert.deepEqual(
      [whole.status, whole.body, whole.headers['content-type']],
      [200, '{"index":{}}', 'application/json; charset=utf-8'],
    );
    const part = await ask(INDEX, { range: 'bytes=2-6' });
    assert.deepEqual([part.status, part.body, part.headers['content-range']], [206, 'index', 'bytes 2-6/12']);
    const rest = await ask(INDEX, { range: 'bytes=9-', 'if-range': String(whole.headers.etag) });
    assert.deepEqual([rest.status, rest.body], [206, '{}}']);
    assert.equal((await ask(INDEX, { range: 'bytes=9-', 'if-range': '"another"' })).status, 200);
    const beyond = await ask(INDEX, { range: 'bytes=12-' });
    assert.deepEqual([beyond.status, beyond.headers['content-range']], [416, 'bytes */12']);
    assert.equal((await ask(INDEX, { 'if-none-match': String(whole.headers.etag) })).status, 304);
    assert.equal((await ask(INDEX, { 'if-match': '"another"' })).status, 412);
    const head = await ask(INDEX, {}, 'HEAD');
    assert.deepEqual([head.status, head.body, head.headers['content-length']], [200, '', '12']);
    assert.deepEqual([(await ask(`${STREAM}/empty`)).status, (await ask(`${STREAM}/empty`)).body], [200, '']);
    assert.equal((await ask(`${STREAM}/a%20b`)).body, 'blank');
  });

  for (const path of [
    '/',
    '/streams',
    '/nothing',
    '/../secret',
    '/..%2fsecret',
    '/%2e%2e/secret',
    '/streams/../../secret',
    '/way-out',
    '//etc/passwd',
    '/streams//v1/index.json',
    '/streams%00',
    '/%ff',
  ]) {
    test(`there is no ${path}`, async () => {
      const { status, body } = await ask(STREAM + path);
      assert.equal(status, 404);
      assert.ok(!body.includes('secret') || path.includes('secret'));
    });
  }

  test('nothing is taken there', async () => {
    const { status, headers } = await ask(INDEX, {}, 'PUT');
    assert.deepEqual([status, headers.allow], [405, 'GET, HEAD']);
  });

  test('racks have it as their first source, from when it is there until it is not', async () => {
    const rack = await region.enrol('rack-a1');
    const { database } = region;
    await database.query(
      "INSERT INTO boot_source (url, priority, is_unsigned) VALUES ('http://other.example/', 1, true)",
    );
    const sources = async (): Promise<unknown> => {
      const { body } = await region.say(rack, 'GET', '/racks/v1/plan');
      const { version, config } = body as { version: number; config: { images?: { sources: { url: string }[] } } };
      return [version, config.images?.sources.map(({ url }) => url)];
    };
    await announceImages(database, 'https://region.example:5240');
    const own = 'https://region.example:5240/MAAS/images-stream/';
    assert.deepEqual(await sources(), [2, [own, 'http://other.example/']]);
    await announceImages(database, 'https://region.example:5240');
    assert.deepEqual(await sources(), [2, [own, 'http://other.example/']]);
    await announceImages(database, undefined);
    assert.deepEqual(await sources(), [3, ['http://other.example/']]);
  });
});
