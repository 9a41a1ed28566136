/** What a client is told instead of an answer: nothing of how we are made. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  /** An HTTP status from 400 on. */
  readonly status: number;
  /** Seconds after which it may be tried again. */
  readonly retryAfter: number | undefined;

  constructor(status: number, message: string, retryAfter?: number) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}
