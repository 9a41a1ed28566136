import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { test } from 'node:test';

import { describePortHolder } from '../../src/rack/port-holder.ts';

const MYSELF = new RegExp(`^ \\(.+, process ${process.pid}\\)$`);

for (const [type, address] of [
  ['udp4', '127.0.0.1'],
  ['udp6', '::'],
] as const) {
  test(`the holder of a ${type} port is named`, async (t) => {
    const socket = createSocket(type).bind(0, address);
    t.after(() => socket.close());
    await once(socket, 'listening');
    assert.match(describePortHolder('udp', socket.address().port), MYSELF);
  });
}

for (const address of ['127.0.0.1', '::']) {
  test(`the holder of a TCP port on ${address} is named`, async (t) => {
    const server = createServer().listen(0, address);
    t.after(() => server.close());
    await once(server, 'listening');
    assert.match(describePortHolder('tcp', (server.address() as AddressInfo).port), MYSELF);
  });
}

test('a port that nobody holds, and a raw socket, have no holder to name', () => {
  assert.equal(describePortHolder('udp', 0xffff + 1), '');
  assert.equal(describePortHolder('link', 0), '');
});
