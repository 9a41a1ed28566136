const CR = 13;
const LF = 10;
const NUL = 0;

/** Text as it travels in netascii mode (RFC 1350 §1, RFC 764): a line ends in CR LF, a CR alone is CR NUL. */
export function toNetascii(bytes: Uint8Array): Uint8Array {
  const converted = new Uint8Array(bytes.length + countSpecial(bytes));
  let at = 0;
  for (const byte of bytes) {
    if (byte === LF) converted[at++] = CR;
    converted[at++] = byte;
    if (byte === CR) converted[at++] = NUL;
  }
  return converted;
}

/** Each LF and CR takes one byte more. */
function countSpecial(bytes: Uint8Array): number {
  let count = 0;
  for (const byte of bytes) if (byte === LF || byte === CR) count++;
  return count;
}
