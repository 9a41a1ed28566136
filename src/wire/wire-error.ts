/** The one error a codec throws: these bytes are not a message of this protocol. Counted, never fatal. */
export class WireError extends Error {
  override readonly name = 'WireError';
}
