import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';

import { toIp4 } from '../../src/addr/ip4.ts';
import { BATCH, type LinkDestination } from '../../src/system/datagram.ts';
import { loadLibc } from '../../src/system/libc.ts';
import { LinkSocket, openLinkSocket } from '../../src/system/link-socket.ts';
import { parseHex } from '../fixtures/hex.ts';
import { FrameTap } from './frame-tap.ts';
import { enterOwnNetwork, ip, noOwnNetwork } from './own-network.ts';

const MTU = 1500;

describe('a reply put on the link', { skip: noOwnNetwork() }, () => {
  const libc = loadLibc();
  let to: LinkDestination;
  let link: LinkSocket;
  let tap: FrameTap;

  before(() => {
    enterOwnNetwork();
    link = new LinkSocket(libc, openLinkSocket(libc));
    to = {
      ifindex: libc.if_nametoindex('left'),
      mac: 0x525400123456,
      source: toIp4(0xc0a87f01),
      sourcePort: 67,
      address: toIp4(0xc0a87fdd),
      port: 68,
    };
    tap = new FrameTap(libc, 'right');
  });

  test('is one Ethernet frame with these bytes', () => {
    link.send(parseHex('01 02 03'), to);
    assert.equal(link.flush(), 0);
    const expected = parseHex(`
      525400123456 02000000000a 0800          # to the client, from our interface, IPv4
      45 00 001f 0000 0000 40 11 fa9e         # 31 bytes, DF clear, TTL 64, UDP
      c0a87f01 c0a87fdd                       # 192.168.127.1 to 192.168.127.221
      0043 0044 000b 7b1f                     # 67 to 68, 11 bytes
      01 02 03`);
    assert.deepEqual(
      tap.frames().map((frame) => frame.toString('hex')),
      [Buffer.from(expected).toString('hex')],
    );
  });

  test('leaves by the interface that was named, and only there', () => {
    const other = new FrameTap(libc, 'left');
    link.send(parseHex('01'), { ...to, ifindex: libc.if_nametoindex('right') });
    link.flush();
    assert.deepEqual(
      other.frames().map((frame) => frame.toString('hex', 6, 12)),
      ['02000000000b'],
    );
    assert.deepEqual(tap.frames(), []);
    other.close();
  });

  test('goes out with all others of a batch, and of more than one', () => {
    for (let port = 1; port <= BATCH + 10; port++) link.send(parseHex('aa'), { ...to, port });
    assert.equal(link.flush(), 0);
    assert.deepEqual(
      tap.frames().map((frame) => frame.readUInt16BE(14 + 20 + 2)),
      Array.from({ length: BATCH + 10 }, (_, i) => i + 1),
    );
  });

  test('is lost alone when it can’t go', () => {
    const left = to.ifindex;
    const sizes: readonly (readonly [size: number, ifindex: number])[] = [
      [10, left],
      [MTU - 28, left],
      [MTU - 27, left],
      [20, 4242],
      [30, left],
    ];
    for (const [size, ifindex] of sizes) link.send(new Uint8Array(size), { ...to, ifindex });
    assert.equal(link.flush(), 2);
    assert.deepEqual(
      tap.frames().map((frame) => frame.length - 14 - 28),
      [10, MTU - 28, 30],
    );
  });

  test('that does not fit is the caller’s mistake', () => {
    assert.throws(() => link.send(new Uint8Array(2048), to), RangeError);
    assert.equal(link.flush(), 0);
    assert.deepEqual(tap.frames(), []);
  });

  test('is lost when the interface is down, and goes again when it is up', () => {
    ip('link set left down');
    link.send(parseHex('01'), to);
    assert.equal(link.flush(), 1);
    ip('link set left up');
    link.send(parseHex('02'), to);
    assert.equal(link.flush(), 0);
    assert.deepEqual(
      tap.frames().map((frame) => frame.toString('hex', 42)),
      ['02'],
    );
  });

  test('is sent when the socket is closed', () => {
    link.send(parseHex('03'), to);
    link.close();
    assert.equal(tap.frames().length, 1);
  });

  test(
    'has checksums that tcpdump finds right',
    { skip: spawnSync('tcpdump', ['--version']).error && 'needs tcpdump' },
    () => {
      for (const payload of ['', '00', 'ff', 'ffff', '0102030405']) link.send(parseHex(payload), { ...to, port: 9 });
      link.flush();
      const captured = tap.frames();
      const { stdout } = readWithTcpdump(captured);
      assert.equal(stdout.match(/\[udp sum ok\]/g)?.length, captured.length, stdout);
      assert.doesNotMatch(stdout, /bad (udp )?cksum/);
    },
  );
});

function words(...values: number[]): Buffer {
  return Buffer.from(Uint32Array.from(values).buffer);
}

/** As a capture file: pcap's header, then a header and the bytes of each frame (link type 1: Ethernet). */
function readWithTcpdump(captured: readonly Buffer[]): { stdout: string } {
  const header = words(0xa1b2c3d4, 0x00040002, 0, 0, 65_535, 1);
  const records = captured.flatMap((frame) => [words(0, 0, frame.length, frame.length), frame]);
  const directory = mkdtempSync(join(tmpdir(), 'rackboot-link-'));
  try {
    writeFileSync(join(directory, 'link.pcap'), Buffer.concat([header, ...records]));
    return spawnSync('tcpdump', ['-nvvr', join(directory, 'link.pcap')], { encoding: 'utf8' });
  } finally {
    rmSync(directory, { recursive: true });
  }
}
