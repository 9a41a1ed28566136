/** A stream that is not one, or may not be believed: what was expected and found, and where. */
export class StreamError extends Error {
  override readonly name = 'StreamError';
}
