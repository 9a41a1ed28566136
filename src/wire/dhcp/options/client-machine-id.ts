import { formatHex } from '../../../addr/hex.ts';

const UUID_TYPE = 0;
const UUID_SPELLING = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** Where each byte of the text lies in the option: the first three groups are little-endian, as in EFI (RFC 4578 §2.3). */
const ORDER = [4, 3, 2, 1, 6, 5, 8, 7, 9, 10, 11, 12, 13, 14, 15, 16] as const;

/**
 * Option 97: the machine's SMBIOS UUID, as dmidecode prints it: 00112233-4455-6677-8899-aabbccddeeff. Undefined for
 * another type or length: some NICs send neither a UUID nor 17 bytes, and must boot all the same.
 */
export function decodeClientMachineId(value: Uint8Array | undefined): string | undefined {
  if (value?.length !== 17 || value[0] !== UUID_TYPE) return undefined;
  const digits = formatHex(ORDER.map((at) => value[at] ?? 0));
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** Undefined for text that is not a lower-case UUID. */
export function encodeClientMachineId(uuid: string): Uint8Array | undefined {
  if (!UUID_SPELLING.test(uuid)) return undefined;
  const digits = uuid.replaceAll('-', '');
  const value = new Uint8Array(17);
  for (const [index, at] of ORDER.entries()) value[at] = Number.parseInt(digits.slice(index * 2, index * 2 + 2), 16);
  return value;
}
