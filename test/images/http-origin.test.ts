import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';

import { HttpOrigin } from '../../src/images/http-origin.ts';
import { readWhole } from '../../src/images/origin.ts';

const NEVER = new AbortController().signal;

test('a proxy is asked for the whole URL, and nobody else', async () => {
  const asked: string[] = [];
  const proxy = createServer((request: IncomingMessage, response) => {
    asked.push(request.url ?? '');
    response.end('from the proxy');
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const { port } = proxy.address() as AddressInfo;
  const origin = new HttpOrigin({ base: new URL('http://mirror.invalid/images/'), proxy: `http://127.0.0.1:${port}` });
  try {
    const bytes = await readWhole(origin, 'streams/v1/com.ubuntu:x.json', 100, NEVER);
    assert.equal(Buffer.from(bytes ?? []).toString(), 'from the proxy');
    assert.deepEqual(asked, ['http://mirror.invalid/images/streams/v1/com.ubuntu%3Ax.json']);
  } finally {
    origin.close();
    proxy.close();
    proxy.closeAllConnections();
  }
});

test('a mirror that nobody is at may be there another time', async () => {
  const origin = new HttpOrigin({ base: new URL('http://127.0.0.1:9/') });
  await assert.rejects(origin.open('x', { from: 0, signal: NEVER }), { name: 'TransferError', mayPass: true });
  origin.close();
});
