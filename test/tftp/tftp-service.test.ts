import assert from 'node:assert/strict';
import { renameSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { formatIp4, LIMITED_BROADCAST } from '../../src/addr/ip4.ts';
import type { Mac } from '../../src/addr/mac.ts';
import type { TftpPacket } from '../../src/wire/tftp/packet.ts';
import { ip4, NODE, RACK, TestRack } from './test-rack.ts';

/** `length` bytes that differ from block to block. */
function someBytes(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (at * 7 + (at >>> 8)) & 255);
}

function errorCodes(packets: readonly TftpPacket[]): number[] {
  return packets.map((packet) => (packet.type === 'error' ? packet.code : -1));
}

const lengths = [0, 1, 511, 512, 513, 1024, 5000] as const;
for (const length of lengths) {
  test(`a file of ${length} bytes arrives as it is on disk, and nothing stays open`, (t) => {
    const content = someBytes(length);
    const rack = new TestRack(t, { 'a/file': content });
    const client = rack.client();
    assert.deepEqual(client.readOn(client.request('a/file')), Buffer.from(content));
    rack.assertIdle();
    const sent = { kind: 'tftp.sent', file: 'a/file', bytes: length, milliseconds: 0, retransmitted: 0 };
    assert.deepEqual(rack.takeEvents(), [sent]);
  });
}

test('a file arrives whole with every option in use', (t) => {
  const content = someBytes(100_000);
  const rack = new TestRack(t, { kernel: content });
  const client = rack.client();
  const answer = client.request('kernel', { tsize: 0, blksize: 1024, windowsize: 8, timeout: 2 });
  assert.deepEqual(answer, [{ type: 'oack', options: { tsize: 100_000, blksize: 1024, windowsize: 8, timeout: 2 } }]);
  assert.deepEqual(client.readOn(answer, 1024), Buffer.from(content));
  rack.assertIdle();
});

test('a block is cut to what fits an Ethernet frame, a window to what one system call sends', (t) => {
  const rack = new TestRack(t, { kernel: someBytes(3000) });
  const answer = rack.client().request('kernel', { blksize: 65464, windowsize: 1000 });
  assert.deepEqual(answer, [{ type: 'oack', options: { blksize: 1468, windowsize: 64 } }]);
});

test('a block of 8 bytes is given to whom asks for it', (t) => {
  const content = someBytes(20);
  const rack = new TestRack(t, { tiny: content });
  const client = rack.client();
  assert.deepEqual(client.readOn(client.request('tiny', { blksize: 8 }), 8), Buffer.from(content));
});

test('a Raspberry Pi gets a file of its own from the folder of its serial number, and else the one for all', (t) => {
  const [own, all] = [someBytes(7), someBytes(9)];
  const rack = new TestRack(t, { '1a2b3c4d/cmdline.txt': own, 'cmdline.txt': all });
  const client = rack.client();
  assert.deepEqual(client.readOn(client.request('1a2b3c4d/cmdline.txt')), Buffer.from(own));
  const other = rack.client();
  assert.deepEqual(other.readOn(other.request('99999999/cmdline.txt')), Buffer.from(all));
});

test('the iPXE script is served as text that names the rack by the address that was asked', (t) => {
  const rack = new TestRack(t);
  const client = rack.client();
  const script = client.readOn(client.request('/boot.ipxe')).toString();
  assert.match(script, /^#!ipxe\n/);
  assert.ok(script.includes(`http://${formatIp4(RACK)}:5248`));
  rack.assertIdle();
});

test('netascii turns line ends into CR LF and lone CRs into CR NUL, and tells no size', (t) => {
  const rack = new TestRack(t, { 'note.txt': 'one\ntwo\rthree\n' });
  const client = rack.client();
  const answer = client.request('note.txt', { tsize: 0, blksize: 1024 }, 'netascii');
  assert.deepEqual(answer, [{ type: 'oack', options: { blksize: 1024 } }]);
  assert.equal(client.readOn(answer, 1024).toString(), 'one\r\ntwo\r\0three\r\n');
  rack.assertIdle();
});

test('netascii of a file too large to be text is refused, and the file closed', (t) => {
  const rack = new TestRack(t, { kernel: new Uint8Array(64 * 1024 + 1) });
  assert.deepEqual(errorCodes(rack.client().request('kernel', {}, 'netascii')), [0]);
  rack.assertIdle();
});

interface RefusalCase {
  readonly title: string;
  readonly file: string;
  readonly mode?: string;
  readonly type?: 'wrq';
  readonly code: number;
  readonly counter: string;
  readonly reason: RegExp;
}

const refusals: readonly RefusalCase[] = [
  { title: 'a missing file', file: 'no/such', code: 1, counter: 'not-found', reason: /^no such file$/ },
  { title: 'a path that climbs out', file: '../../etc/passwd', code: 1, counter: 'not-found', reason: /climbs out/ },
  { title: 'a directory', file: 'dir', code: 2, counter: 'forbidden', reason: /not a regular file/ },
  { title: 'a write', file: 'dir/file', type: 'wrq', code: 2, counter: 'write', reason: /takes no files/ },
  {
    title: 'mail',
    file: 'dir/file',
    mode: 'mail',
    code: 4,
    counter: 'mode',
    reason: /octet or netascii, found "mail"/,
  },
];

for (const { title, file, mode, type, code, counter, reason } of refusals) {
  test(`${title} is refused with error ${code} and the reason`, (t) => {
    const rack = new TestRack(t, { 'dir/file': 'x' });
    const [answer, ...more] = rack.client().request(file, { tsize: 0 }, mode, type);
    assert.ok(answer?.type === 'error' && more.length === 0);
    assert.equal(answer.code, code);
    assert.match(answer.message, reason);
    const [event] = rack.takeEvents();
    assert.ok(event?.kind === 'tftp.refused');
    assert.match(event.reason, reason);
    assert.equal(rack.service.counters()[`refused.${counter}`], 1);
    rack.assertIdle();
  });
}

test('a very long name in a reason does not outgrow the packet', (t) => {
  const rack = new TestRack(t);
  const request = Buffer.concat([Buffer.from('\0\x01ipxe/'), Buffer.alloc(480, 0x80), Buffer.from('x\0octet\0')]);
  assert.deepEqual(errorCodes(rack.client().ask(request)), [1]);
});

const strays: readonly { title: string; bytes: readonly number[]; counter: string }[] = [
  { title: 'an ACK', bytes: [0, 4, 0, 1], counter: 'refused.stray' },
  { title: 'a DATA', bytes: [0, 3, 0, 1, 65], counter: 'refused.stray' },
  { title: 'an ERROR', bytes: [0, 5, 0, 0, 0], counter: 'refused.stray' },
  { title: 'nonsense', bytes: [9, 9, 9], counter: 'refused.bad-packet' },
  { title: 'an empty datagram', bytes: [], counter: 'refused.bad-packet' },
];

for (const { title, bytes, counter } of strays) {
  test(`${title} on the listening port is counted and left unanswered`, (t) => {
    const rack = new TestRack(t);
    assert.deepEqual(rack.client().ask(Uint8Array.from(bytes)), []);
    assert.equal(rack.service.counters()[counter], 1);
    assert.deepEqual(rack.takeEvents(), []);
  });
}

test('a request from port 0 is counted and left unanswered', (t) => {
  const rack = new TestRack(t);
  assert.deepEqual(rack.client(0).request('no/such'), []);
  assert.equal(rack.service.counters()['refused.bad-packet'], 1);
});

const destinations = [
  { title: 'an address of the rack', destination: ip4('198.51.100.1'), answersFrom: ip4('198.51.100.1') },
  { title: '255.255.255.255', destination: LIMITED_BROADCAST, answersFrom: RACK },
  { title: 'the broadcast address of a subnet', destination: ip4('192.0.2.255'), answersFrom: RACK },
];

for (const { title, destination, answersFrom } of destinations) {
  test(`a request to ${title} is answered from ${formatIp4(answersFrom)}`, (t) => {
    const rack = new TestRack(t, { file: 'x' });
    const [answer] = rack.client().ask(Buffer.from('\0\x01file\0octet\0'), destination);
    assert.equal(answer?.type, 'data');
    assert.equal(rack.wire.transferSockets[0]?.localAddress, answersFrom);
  });
}

test('an ERROR leaves from the address that was asked, too', (t) => {
  const rack = new TestRack(t);
  const client = rack.client();
  const listener = rack.wire.listeners[0];
  assert.ok(listener);
  rack.wire.deliver(listener, Buffer.from('\0\x01no\0octet\0'), client.address, client.port, ip4('198.51.100.1'));
  assert.equal(client.heardWithSource()[0]?.to.source, ip4('198.51.100.1'));
});

test('giving up after the OACK is a size probe, and no failure', (t) => {
  const rack = new TestRack(t, { loader: someBytes(700) });
  const client = rack.client();
  client.request('\\loader', { tsize: 0 });
  assert.deepEqual(client.error(8, 'User aborted'), []);
  assert.deepEqual(rack.takeEvents(), [{ kind: 'tftp.size-probe', file: 'loader', bytes: 700, blockSize: 512 }]);
  rack.assertIdle();
});

test('an ERROR mid-way ends the transfer and says what the client said', (t) => {
  const rack = new TestRack(t, { loader: someBytes(7000) });
  const client = rack.client();
  client.request('loader');
  client.ack(1);
  assert.deepEqual(client.error(3, 'no room'), []);
  const reason = 'the client gave up after block 1 of 14 with error 3: no room';
  assert.deepEqual(rack.takeEvents(), [{ kind: 'tftp.failed', file: 'loader', reason, blockSize: 512, block: 1 }]);
  rack.assertIdle();
});

test('what a client calls its file and says at its end steers no terminal', (t) => {
  const rack = new TestRack(t, { loader: someBytes(7000) });
  const client = rack.client();
  client.request('../a\u{1b}[2Jb');
  client.request('loader');
  client.error(3, '\u{1b}]0;title\u{7}\nTROUBLE');
  const [refused, gone] = rack.takeEvents();
  assert.equal(refused?.kind === 'tftp.refused' && refused.file, '../a\u{fffd}[2Jb');
  assert.match(gone?.kind === 'tftp.failed' ? gone.reason : '', /error 3: \u{fffd}\]0;title\u{fffd} TROUBLE$/u);
});

test('a lost block comes again by itself, and is counted', (t) => {
  const content = someBytes(600);
  const rack = new TestRack(t, { loader: content });
  const client = rack.client();
  const [lost] = client.request('loader');
  rack.loop.advance(1000);
  const again = client.heard();
  assert.deepEqual(again, [lost]);
  assert.deepEqual(client.readOn(again), Buffer.from(content));
  const sent = { kind: 'tftp.sent', file: 'loader', bytes: 600, milliseconds: 1000, retransmitted: 1 };
  assert.deepEqual(rack.takeEvents(), [sent]);
  assert.equal(rack.service.counters()['retransmitted'], 1);
});

test('a client that never sends the last ACK has its file: sent, and the wait is not counted', (t) => {
  const rack = new TestRack(t, { loader: someBytes(600) });
  const client = rack.client();
  client.request('loader');
  rack.loop.advance(50);
  client.ack(1);
  rack.loop.advance(60_000);
  assert.equal(client.heard().length, 5);
  const sent = { kind: 'tftp.sent', file: 'loader', bytes: 600, milliseconds: 50, retransmitted: 5 };
  assert.deepEqual(rack.takeEvents(), [sent]);
  rack.assertIdle();
});

test('a transfer that takes long is told of once, before it has arrived', (t) => {
  const rack = new TestRack(t, { kernel: someBytes(60 * 512) });
  const client = rack.client();
  client.request('/kernel');
  for (let block = 1; block <= 50; block++) {
    rack.loop.advance(900);
    client.ack(block);
  }
  const told = { kind: 'tftp.under-way', file: 'kernel', bytes: 30_720 };
  assert.deepEqual(
    rack.takeEvents().map((event) => ({ ...event, milliseconds: 0 })),
    [{ ...told, milliseconds: 0 }],
  );
  for (let block = 51; block <= 61; block++) client.ack(block);
  assert.deepEqual(
    rack.takeEvents().map(({ kind }) => kind),
    ['tftp.sent'],
  );
  rack.assertIdle();
});

test('a client that was never heard again fetches nothing, however long it is waited for', (t) => {
  const rack = new TestRack(t, { loader: someBytes(6000) });
  rack.client().request('loader', { timeout: 20 });
  rack.loop.advance(200_000);
  assert.deepEqual(
    rack.takeEvents().map(({ kind }) => kind),
    ['tftp.failed'],
  );
});

test('the event of a machine’s script says what it boots, that of the script for all does not', (t) => {
  const rack = new TestRack(t);
  const client = rack.client();
  for (const path of ['boot.ipxe', 'ipxe/52-54-00-00-00-01']) client.readOn(client.request(path));
  assert.deepEqual(
    rack.takeEvents().map((event) => event.kind === 'tftp.sent' && event.boots),
    [undefined, 'local'],
  );
});

test('a client that vanishes is given up, with everything closed', (t) => {
  const rack = new TestRack(t, { loader: someBytes(6000) });
  rack.client().request('loader', { blksize: 1024 });
  rack.loop.advance(31_000);
  const reason = 'no answer from the client after the OACK, asked 6 times';
  assert.deepEqual(rack.takeEvents(), [
    { kind: 'tftp.failed', file: 'loader', reason, blockSize: 1024, block: 0, silent: true },
  ]);
  rack.assertIdle();
});

test('the same request again, before any answer, is answered again from the same port', (t) => {
  const rack = new TestRack(t, { loader: someBytes(600) });
  const client = rack.client();
  const first = client.request('loader', { tsize: 0 });
  assert.deepEqual(client.request('loader', { tsize: 0 }), first);
  assert.equal(rack.wire.transferSockets.length, 1);
});

test('another request from the same port replaces the transfer', (t) => {
  const rack = new TestRack(t, { loader: someBytes(6000), other: 'other' });
  const client = rack.client();
  client.request('loader');
  client.ack(1);
  assert.equal(client.readOn(client.request('other')).toString(), 'other');
  const [failed, sent] = rack.takeEvents();
  assert.deepEqual(failed, {
    kind: 'tftp.failed',
    blockSize: 512,
    block: 1,
    silent: true,
    file: 'loader',
    reason: 'the client asked anew after block 1 of 12',
  });
  assert.equal(sent?.kind, 'tftp.sent');
  rack.assertIdle();
});

test('the same request again in the middle starts over', (t) => {
  const content = someBytes(2000);
  const rack = new TestRack(t, { loader: content });
  const client = rack.client();
  client.request('loader');
  client.ack(1);
  assert.deepEqual(client.readOn(client.request('loader')), Buffer.from(content));
  rack.assertIdle();
});

test('two ports of one machine are two transfers', (t) => {
  const rack = new TestRack(t, { a: 'first', b: 'second' });
  const [one, two] = [rack.client(2070), rack.client(2071)];
  const [toOne, toTwo] = [one.request('a'), two.request('b')];
  assert.equal(rack.service.counters()['active'], 2);
  assert.equal(two.readOn(toTwo).toString(), 'second');
  assert.equal(one.readOn(toOne).toString(), 'first');
});

test('a stranger on the port of a transfer gets error 5 and disturbs nothing', (t) => {
  const content = someBytes(1000);
  const rack = new TestRack(t, { loader: content });
  const client = rack.client();
  const first = client.request('loader');
  const otherPort = rack.client(9999);
  const otherAddress = rack.client(2070, ip4('192.0.2.66'));
  for (const stranger of [otherPort, otherAddress]) {
    assert.deepEqual(errorCodes(stranger.tell(Uint8Array.of(0, 4, 0, 1), client.server)), [5]);
    assert.deepEqual(stranger.tell(Uint8Array.of(0, 5, 0, 0, 0), client.server), []);
  }
  assert.deepEqual(client.heard(), []);
  assert.deepEqual(client.readOn(first), Buffer.from(content));
  assert.equal(rack.service.counters()['refused.wrong-tid'], 4);
});

test('nonsense from the client itself is counted and disturbs nothing', (t) => {
  const content = someBytes(1000);
  const rack = new TestRack(t, { loader: content });
  const client = rack.client();
  const first = client.request('loader');
  assert.deepEqual(client.tell(Uint8Array.of(7)), []);
  assert.deepEqual(client.readOn(first), Buffer.from(content));
});

test('a DATA from the client where an ACK is due ends the transfer with error 4', (t) => {
  const rack = new TestRack(t, { loader: someBytes(1000) });
  const client = rack.client();
  client.request('loader');
  assert.deepEqual(errorCodes(client.tell(Uint8Array.of(0, 3, 0, 1, 65))), [4]);
  const reason = 'expected an ACK from the client, found DATA';
  assert.deepEqual(rack.takeEvents(), [{ kind: 'tftp.failed', file: 'loader', reason, blockSize: 512, block: 0 }]);
  rack.assertIdle();
});

test('a file that becomes shorter meanwhile fails with the reason', (t) => {
  const rack = new TestRack(t, { loader: someBytes(100_000) });
  const client = rack.client();
  const [, ...first] = client.request('loader', { blksize: 1468, windowsize: 10 });
  assert.deepEqual(first, []);
  client.ack(0);
  truncateSync(join(rack.files, 'loader'), 40_000);
  client.ack(10);
  const answers = client.ack(20);
  assert.deepEqual(errorCodes(answers), [0]);
  const reason = 'the file ended at 40000 bytes, expected 100000';
  assert.deepEqual(rack.takeEvents(), [{ kind: 'tftp.failed', file: 'loader', reason, blockSize: 1468, block: 20 }]);
  rack.assertIdle();
});

test('a file that is written into meanwhile fails, rather than arrive as parts of one and of another', (t) => {
  const rack = new TestRack(t, { loader: someBytes(100_000) });
  utimesSync(join(rack.files, 'loader'), 1_600_000_000, 1_600_000_000);
  const client = rack.client();
  client.request('loader', { blksize: 1468, windowsize: 10 });
  client.ack(0);
  writeFileSync(join(rack.files, 'loader'), new Uint8Array(100_000));
  client.ack(10);
  const answers = client.ack(20);
  const message = 'the file was changed while it was sent';
  assert.deepEqual(answers, [{ type: 'error', code: 0, message }]);
  assert.deepEqual(rack.takeEvents(), [
    { kind: 'tftp.failed', file: 'loader', reason: message, blockSize: 1468, block: 20 },
  ]);
  rack.assertIdle();
});

test('a client is told at once of a fault that a timer finds, while another uses the same port of ours', (t) => {
  const rack = new TestRack(t, { loader: someBytes(200_000) });
  const [one, two] = [rack.client(1), rack.client(2)];
  one.request('loader', { blksize: 1468, windowsize: 64 });
  two.request('loader');
  one.ack(0);
  // A loss, after which a window leaves in bursts, by timers
  rack.loop.advance(1100);
  one.heard();
  assert.equal(one.ack(64).length, 16);
  truncateSync(join(rack.files, 'loader'), 10);
  rack.loop.advance(1);
  assert.deepEqual(errorCodes(one.heard()), [0]);
});

test('a file replaced meanwhile goes on as it was for who began with it, and is sent anew to the next', (t) => {
  const [before, after] = [someBytes(100_000), someBytes(90_000)];
  const rack = new TestRack(t, { loader: before });
  const [one, two] = [rack.client(1), rack.client(2)];
  const begun = one.request('loader', { blksize: 1468 });
  writeFileSync(join(rack.files, 'new'), after);
  renameSync(join(rack.files, 'new'), join(rack.files, 'loader'));
  const next = two.request('loader', { blksize: 1468 });
  assert.deepEqual(one.readOn(begun, 1468), Buffer.from(before));
  assert.deepEqual(two.readOn(next, 1468), Buffer.from(after));
  rack.assertIdle();
});

test('machines that fetch one file share its descriptor and our port, and each gets all of it', (t) => {
  const bytes = someBytes(300_000);
  const rack = new TestRack(t, { loader: bytes });
  const settled = new Date(rack.loop.now() - 60_000);
  utimesSync(join(rack.files, 'loader'), settled, settled);
  const clients = Array.from({ length: 40 }, (_, index) => rack.client(2000 + index));
  const begun = clients.map((client) =>
    client.request('loader', { blksize: 1000 + client.port - 2000, windowsize: 3 }),
  );
  assert.equal(rack.openFiles(), 1);
  assert.equal(rack.wire.open.length, 1);
  for (const [index, client] of clients.entries()) {
    assert.deepEqual(client.readOn(begun[index] ?? [], 1000 + index), Buffer.from(bytes));
  }
  rack.assertIdle();
});

test('a client that fetches file after file from one port never meets the same port of ours while that is open', (t) => {
  const rack = new TestRack(t, { loader: 'x' });
  rack.client(1).request('loader');
  const met = Array.from({ length: 3 }, () => {
    const client = rack.client(2);
    client.readOn(client.request('loader'));
    return client.server;
  });
  assert.equal(new Set(met).size, 3);
});

test('what is left over from a transfer that is done is counted, not answered', (t) => {
  const rack = new TestRack(t, { loader: 'x' });
  rack.client(1).request('loader');
  const client = rack.client(2);
  client.readOn(client.request('loader'));
  assert.deepEqual(client.ack(1), []);
  assert.equal(rack.service.counters()['refused.late'], 1);
  assert.equal(rack.service.counters()['active'], 1);
});

test('above the cap of transfers a request is refused as busy, and served when one has ended', (t) => {
  const rack = new TestRack(t, { loader: 'x' }, { transfers: 2, perClient: 2 });
  const [one, two, three] = [rack.client(1), rack.client(2, ip4('192.0.2.22')), rack.client(3, ip4('192.0.2.23'))];
  one.request('loader');
  two.request('loader');
  const [refused] = three.request('loader');
  assert.deepEqual(refused, { type: 'error', code: 0, message: 'busy, ask again: 2 transfers are running' });
  one.ack(1);
  assert.equal(three.request('loader')[0]?.type, 'data');
});

test('above the cap of one address only that address is refused', (t) => {
  const rack = new TestRack(t, { loader: 'x' }, { transfers: 10, perClient: 2 });
  rack.client(1).request('loader');
  const second = rack.client(2);
  second.request('loader');
  assert.deepEqual(errorCodes(rack.client(3).request('loader')), [0]);
  assert.equal(rack.client(3, ip4('192.0.2.22')).request('loader')[0]?.type, 'data');
  second.ack(1);
  assert.equal(rack.client(3).request('loader')[0]?.type, 'data');
  assert.equal(rack.service.counters()['refused.busy'], 1);
});

test('an address whose transfers have all ended starts from nothing', (t) => {
  const rack = new TestRack(t, { loader: 'x' }, { transfers: 10, perClient: 1 });
  for (const port of [1, 2, 3]) {
    const client = rack.client(port);
    assert.equal(client.readOn(client.request('loader')).toString(), 'x');
  }
});

test('without a port to be had the request is refused, and the file closed', (t) => {
  const rack = new TestRack(t, { loader: 'x' });
  rack.wire.exhausted = 'socket: EMFILE';
  assert.deepEqual(errorCodes(rack.client().request('loader')), [0]);
  assert.deepEqual(rack.takeEvents(), [
    { kind: 'tftp.refused', file: 'loader', reason: 'no port for a transfer: socket: EMFILE', code: 0 },
  ]);
  rack.assertIdle();
});

test('a reload leaves running transfers alone and serves the new files to the next', (t) => {
  const content = someBytes(2000);
  const rack = new TestRack(t, { 'old/loader': content, 'new/loader': 'new' });
  rack.service.apply(rack.plan(join(rack.files, 'old')), [rack.handle]);
  const client = rack.client(1);
  const first = client.request('loader');
  rack.service.apply(rack.plan(join(rack.files, 'new')), [rack.handle]);
  const next = rack.client(2);
  assert.equal(next.readOn(next.request('loader')).toString(), 'new');
  assert.deepEqual(client.readOn(first), Buffer.from(content));
});

test('a reload keeps a socket that stays, drops one that is gone and takes up a new one', (t) => {
  const rack = new TestRack(t, { loader: 'x' });
  const added = { ...rack.handle, fd: 8, interface: 'eth1' };
  rack.service.apply(rack.plan(), [rack.handle, added]);
  assert.deepEqual(rack.loop.watched, [7, 8]);
  assert.deepEqual(
    rack.wire.listeners.map(({ fd }) => fd),
    [7, 8],
  );
  rack.service.apply(rack.plan(), [added]);
  assert.deepEqual(rack.loop.watched, [8]);
  assert.ok(
    rack.wire.listeners.every(({ closed }) => !closed),
    'the rack closes what the rack opened',
  );
});

test('a block is cut to what the path carries whole', (t) => {
  const rack = new TestRack(t, { loader: someBytes(5000) }, { blockSize: 8968 });
  rack.wire.mtu = 1400;
  assert.deepEqual(rack.client(1).request('loader', { blksize: 1468 }), [{ type: 'oack', options: { blksize: 1368 } }]);
  rack.wire.mtu = 9000;
  assert.deepEqual(rack.client(2).request('loader', { blksize: 65464 }), [
    { type: 'oack', options: { blksize: 8968 } },
  ]);
});

test('blocks of jumbo frames and whole windows of them arrive', (t) => {
  const bytes = someBytes(1_000_000);
  const rack = new TestRack(t, { loader: bytes }, { blockSize: 8968 });
  const client = rack.client();
  assert.deepEqual(
    client.readOn(client.request('loader', { blksize: 8968, windowsize: 64 }), 8968),
    Buffer.from(bytes),
  );
});

test('the file’s caps on block and window hold from the next request on', (t) => {
  const rack = new TestRack(t, { loader: 'x' }, { blockSize: 1024, window: 4 });
  const [answer] = rack.client(1).request('loader', { blksize: 1468, windowsize: 16 });
  assert.deepEqual(answer, { type: 'oack', options: { blksize: 1024, windowsize: 4 } });
});

describe('single-port', () => {
  test('every packet leaves from port 69 and the address that was asked, and comes back there', (t) => {
    const bytes = someBytes(5000);
    const rack = new TestRack(t, { loader: bytes }, { singlePort: true });
    const [one, two] = [rack.client(1), rack.client(2)];
    const [first, second] = [one.request('loader'), two.request('loader', { windowsize: 3 })];
    assert.equal(rack.wire.transferSockets.length, 0);
    assert.equal(one.server, rack.wire.listeners[0]);
    assert.deepEqual(one.readOn(first), Buffer.from(bytes));
    assert.deepEqual(two.readOn(second), Buffer.from(bytes));
    rack.assertIdle();
  });

  test('a packet of no transfer is counted and left unanswered', (t) => {
    const rack = new TestRack(t, { loader: 'x' }, { singlePort: true });
    const client = rack.client();
    client.readOn(client.request('loader'));
    assert.deepEqual(client.ack(1), []);
    assert.equal(rack.service.counters()['refused.stray'], 1);
  });

  test('transfers end, and say so, when the rack gives up the address they leave from; others go on', (t) => {
    const rack = new TestRack(t, { loader: someBytes(5000) }, { singlePort: true });
    const client = rack.client();
    client.request('loader');
    rack.service.apply(rack.plan(), []);
    assert.deepEqual(client.heard(), [{ type: 'error', code: 0, message: 'this address of the server is gone' }]);
    assert.equal(rack.service.counters()['active'], 0);
    assert.equal(rack.openFiles(), 0);
    assert.equal(rack.loop.timers, 0);
  });
});

test('a single-port service that stops tells its clients', (t) => {
  const rack = new TestRack(t, { loader: someBytes(5000) }, { singlePort: true });
  const client = rack.client();
  client.request('loader');
  rack.service.close();
  assert.deepEqual(client.heard(), [{ type: 'error', code: 0, message: 'the server stops' }]);
});

test('a window that restarts does so in time, not when an older timer fires', (t) => {
  const rack = new TestRack(t, { loader: someBytes(50_000) });
  const client = rack.client();
  client.request('loader', { windowsize: 8 });
  rack.loop.advance(2);
  assert.equal(client.ack(0).length, 8);
  rack.loop.advance(2);
  // Block 4 was lost
  client.ack(3);
  rack.loop.advance(20);
  const again = client.heard();
  assert.ok(again.some((packet) => packet.type === 'data' && packet.block === 4));
});

test('an event names the machine while its lease lasts', (t) => {
  const rack = new TestRack(t);
  const address = formatIp4(NODE);
  const subjectOfNext = (): unknown => {
    rack.client().request('no/such');
    return rack.events.at(-1)?.subject;
  };
  assert.deepEqual(subjectOfNext(), { address });
  rack.service.learn([{ address: NODE, mac: 0x525400123456 as Mac }], []);
  assert.deepEqual(subjectOfNext(), { address, mac: '52:54:00:12:34:56' });
  rack.service.learn([{ address: NODE, mac: 0x525400000001 as Mac }], [NODE]);
  assert.deepEqual(subjectOfNext(), { address, mac: '52:54:00:00:00:01' });
  rack.service.learn([], [NODE]);
  assert.deepEqual(subjectOfNext(), { address });
});

test('the counters add up', (t) => {
  const rack = new TestRack(t, { loader: someBytes(1000) });
  const client = rack.client();
  client.readOn(client.request('loader'));
  client.request('no/such');
  rack.client(3).request('loader');
  assert.deepEqual(rack.service.counters(), {
    received: 5,
    transfers: 2,
    bytes: 1512,
    retransmitted: 0,
    sent: 1,
    'refused.not-found': 1,
    active: 1,
  });
});

test('a service that stops tells its clients and leaves nothing open', (t) => {
  const rack = new TestRack(t, { loader: someBytes(1000) });
  const client = rack.client();
  client.request('loader');
  rack.service.close();
  assert.deepEqual(client.heard(), [{ type: 'error', code: 0, message: 'the server stops' }]);
  assert.equal(rack.wire.open.length + rack.openFiles() + rack.loop.timers + rack.loop.watched.length, 0);
});
