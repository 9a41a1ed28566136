/** One byte: 52, 53. Undefined for any length but one. */
export function decodeU8(value: Uint8Array | undefined): number | undefined {
  return value?.length === 1 ? value[0] : undefined;
}

export function encodeU8(number: number): Uint8Array {
  return Uint8Array.of(number);
}

/** Two bytes, high one first: 26, 57. Undefined for any length but two. */
export function decodeU16(value: Uint8Array | undefined): number | undefined {
  return value?.length === 2 ? readU16(value, 0) : undefined;
}

export function encodeU16(number: number): Uint8Array {
  return encodeU16List([number]);
}

/** Two-byte numbers, one or more: 93 (RFC 4578 §2.1). Undefined for none, or for a broken last one. */
export function decodeU16List(value: Uint8Array | undefined): readonly number[] | undefined {
  if (!value || value.length === 0 || value.length % 2 !== 0) return undefined;
  const numbers: number[] = [];
  for (let at = 0; at < value.length; at += 2) numbers.push(readU16(value, at));
  return numbers;
}

export function encodeU16List(numbers: readonly number[]): Uint8Array {
  return Uint8Array.from(numbers.flatMap((number) => [number >>> 8, number & 255]));
}

function readU16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
