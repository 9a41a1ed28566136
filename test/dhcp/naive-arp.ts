import { quad } from './naive-packet.ts';

/** ARP by hand (RFC 826), to the rack: by default the reply of one who has `address`. */
export function naiveArp(mac: string, address: string, operation = 2, target = '0.0.0.0'): Uint8Array {
  const hardware = mac.split(':').map((byte) => Number.parseInt(byte, 16));
  const to = [0x52, 0x54, 0, 0, 0xfe, 0xfe];
  return Uint8Array.from([0, 1, 8, 0, 6, 4, 0, operation, ...hardware, ...quad(address), ...to, ...quad(target)]);
}
