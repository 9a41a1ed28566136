const SPACE = 0x20;
const TILDE = 0x7e;

/**
 * Text: 12, 15, 56, 60, 66, 67. Clients end it with NUL or not (RFC 2132 §2 wants both read), and some ROMs leave 0xff
 * behind it, the End they read past. Undefined when nothing is left, or something that isn't printable ASCII.
 */
export function decodeText(value: Uint8Array | undefined): string | undefined {
  if (!value) return undefined;
  let end = value.length;
  while (end > 0 && (value[end - 1] === 0 || value[end - 1] === 0xff)) end--;
  return end > 0 ? printable(value, 0, end) : undefined;
}

/** One byte a character, without NUL (RFC 2132 §2). */
export function encodeText(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** With a NUL: old UEFI and PXE ROMs read options 66 and 67 on into the next option. */
export function encodeTerminatedText(text: string): Uint8Array {
  return encodeText(`${text}\0`);
}

/** The bytes from `start` to `end` as ASCII; undefined when one of them isn't printable. */
export function printable(bytes: Uint8Array, start: number, end: number): string | undefined {
  let text = '';
  for (let at = start; at < end; at++) {
    const byte = bytes[at] ?? 0;
    if (byte < SPACE || byte > TILDE) return undefined;
    text += String.fromCharCode(byte);
  }
  return text;
}
