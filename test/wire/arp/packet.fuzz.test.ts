import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { decodeArp, encodeArp } from '../../../src/wire/arp/packet.ts';
import { parseHex } from '../../fixtures/hex.ts';
import { fuzz } from '../fuzz.ts';

const seeds = [
  parseHex('0001 0800 06 04 0001 52540000000a 00000000 000000000000 c0a87f64'),
  parseHex('0001 0800 06 04 0002 02000000000b c0a87f64 52540000000a 00000000 000000000000000000000000000000000000'),
];

const buffer = new Uint8Array(64);

test('no frame makes the codec throw anything but WireError, or hold on to memory', { timeout: 300_000 }, () => {
  const { accepted, refused } = fuzz({ seeds, seed: 826, run: readAndWriteBack });
  assert.ok(accepted > refused / 4 && refused > accepted / 20, `${accepted} accepted, ${refused} refused`);
});

/** What was read and written must read the same again. */
function readAndWriteBack(bytes: Uint8Array): void {
  const packet = decodeArp(bytes);
  const again = decodeArp(buffer.subarray(0, encodeArp(buffer, packet)));
  if (!isDeepStrictEqual(again, packet)) throw new Error('came back different');
}
