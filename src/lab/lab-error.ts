/** What a person who started the lab must know or do; the message is shown as it is, without a stack. */
export class LabError extends Error {
  override readonly name = 'LabError';
}
