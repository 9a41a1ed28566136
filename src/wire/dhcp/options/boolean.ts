/** A switch of one byte: 19, 20, 27. Undefined for any other than 0 and 1 (RFC 2132 §4). */
export function decodeBoolean(value: Uint8Array | undefined): boolean | undefined {
  const byte = value?.length === 1 ? value[0] : undefined;
  return byte === undefined || byte > 1 ? undefined : byte === 1;
}

export function encodeBoolean(isOn: boolean): Uint8Array {
  return Uint8Array.of(isOn ? 1 : 0);
}
