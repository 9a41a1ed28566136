import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { decodeTftp, encodeOack, encodeRequest, type TftpPacket } from '../../../src/wire/tftp/packet.ts';
import { fuzz } from '../fuzz.ts';

const seeds = [
  '\0\x01undionly.kpxe\0octet\0',
  '\0\x01snponly.efi\0octet\0tsize\x000\0BLKSIZE\x001468\0windowsize\x004\0timeout\x003\0',
  '\0\x02core.dump\0netascii\0multicast\0\0',
  '\0\x03\0\x01the first bytes of a file',
  '\0\x04\xff\xff',
  '\0\x05\0\x08User aborted the transfer\0',
  '\0\x06tsize\x0012345\0blksize\x001468\0',
].map((latin1) => Uint8Array.from(Buffer.from(latin1, 'latin1')));

/** Room for a request whose every byte was no UTF-8 and became three. */
const buffer = new Uint8Array(4096);

test('no packet makes the codec throw anything but WireError, or hold on to memory', { timeout: 300_000 }, () => {
  const { accepted, refused } = fuzz({ seeds, seed: 1350, run: readAndWriteBack });
  assert.ok(accepted > refused / 4 && refused > accepted / 20, `${accepted} accepted, ${refused} refused`);
});

/** What was read and written must read the same again. */
function readAndWriteBack(bytes: Uint8Array): void {
  const packet = decodeTftp(bytes);
  const length = write(packet);
  if (length === undefined || length > 512) return;
  const again = decodeTftp(buffer.subarray(0, length));
  if (!isDeepStrictEqual(again, packet)) throw new Error('came back different');
}

function write(packet: TftpPacket): number | undefined {
  if (packet.type === 'rrq' || packet.type === 'wrq') return encodeRequest(buffer, packet);
  return packet.type === 'oack' ? encodeOack(buffer, packet.options) : undefined;
}
