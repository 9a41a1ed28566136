const BYTES: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Two lower-case digits for a byte. */
export function hexByte(byte: number): string {
  return BYTES[byte] ?? '';
}

/** Two lower-case digits for each byte. For the few bytes of an identifier faster than a Buffer is made. */
export function formatHex(bytes: Iterable<number>): string {
  let hex = '';
  for (const byte of bytes) hex += hexByte(byte);
  return hex;
}
