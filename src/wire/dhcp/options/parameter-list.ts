/** Option 55 (RFC 2132 §9.8): the codes a client wants, dearest first. Undefined when empty. The codes are a view of the value. */
export function decodeParameterList(value: Uint8Array | undefined): Uint8Array | undefined {
  return value && value.length > 0 ? value : undefined;
}

export function encodeParameterList(codes: readonly number[]): Uint8Array {
  return Uint8Array.from(codes);
}
