import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createMarkRemover } from '../../src/lab/plain-pxe-wire.ts';

const MAGIC_COOKIE = [0x63, 0x82, 0x53, 0x63];
/** Of what the iPXE in QEMU's card says of itself: its class, that it can HTTP, and how it is called. */
const DISCOVER = [
  [53, 1, 1],
  [93, 2, 0, 0],
  [77, 4, ...Buffer.from('iPXE')],
  [55, 2, 66, 67],
  [175, 3, 19, 1, 1],
  [255],
];
const AS_PLAIN_PXE = [[53, 1, 1], [93, 2, 0, 0], [0, 0, 0, 0, 0, 0], [55, 2, 66, 67], [0, 0, 0, 0, 0], [255]];

/** As QEMU sends it: length, Ethernet, IPv4 without options, UDP. */
function frame(port: number, payload: readonly number[], checksum = 0xabcd): Buffer {
  const udp = Buffer.alloc(8);
  udp.writeUInt16BE(port, 2);
  udp.writeUInt16BE(checksum, 6);
  const ip = Buffer.alloc(20);
  ip[0] = 0x45;
  ip[9] = 17;
  const ethernet = Buffer.alloc(14);
  ethernet.writeUInt16BE(0x0800, 12);
  const bytes = Buffer.concat([ethernet, ip, udp, Buffer.from(payload)]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function dhcp(options: readonly (readonly number[])[], checksum?: number): Buffer {
  const header = Array.from({ length: 236 }, () => 1);
  return frame(67, [...header, ...MAGIC_COOKIE, ...options.flat()], checksum);
}

const READ_REQUEST = frame(69, [0, 1, ...Buffer.from('undionly.kpxe\0octet\0')]);

/** What comes out at the other end for these pieces of the stream. */
function passed(...pieces: readonly Buffer[]): Buffer {
  const remover = createMarkRemover();
  const out: Buffer[] = [];
  remover.on('data', (chunk: Buffer) => out.push(chunk));
  for (const piece of pieces) remover.write(piece);
  return Buffer.concat(out);
}

describe('the cable of a plain PXE machine', () => {
  it('takes from a DHCP request what marks an iPXE, moves nothing, and says that there is no checksum', () => {
    assert.deepEqual(passed(dhcp(DISCOVER)), dhcp(AS_PLAIN_PXE, 0));
  });

  it('lets an iPXE be known for one after the ROM asked for a loader', () => {
    const { length } = dhcp(DISCOVER);
    assert.deepEqual(passed(READ_REQUEST, dhcp(DISCOVER)).subarray(-length), dhcp(DISCOVER));
  });

  it('passes on everything else as it is', () => {
    const arp = Buffer.from([0, 0, 0, 14, ...Buffer.alloc(12), 0x08, 0x06]);
    const others = [arp, READ_REQUEST, frame(53, [1, 2, 3])];
    assert.deepEqual(passed(...others), Buffer.concat(others));
  });

  it('does not mind where the stream is cut', () => {
    const bytes = Buffer.concat([dhcp(DISCOVER), READ_REQUEST]);
    const single = Array.from(bytes, (byte) => Buffer.from([byte]));
    assert.deepEqual(passed(...single), passed(bytes));
  });

  it('leaves a message that ends inside an option', () => {
    assert.equal(
      passed(
        dhcp([
          [53, 1, 1],
          [175, 200, 1],
        ]),
      ).length,
      dhcp([
        [53, 1, 1],
        [175, 200, 1],
      ]).length,
    );
  });
});
