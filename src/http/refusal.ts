/** A request that is answered with an error status. */
export interface Refusal {
  readonly status: 400 | 403 | 404 | 405 | 412 | 413 | 416 | 417 | 501 | 503 | 505;
  /** Under which name it is counted. */
  readonly label: string;
  /** One plain sentence, for the client and for the timeline. */
  readonly reason: string;
  /** Nothing more is to be read from this connection. */
  readonly isLast?: true;
  /** Seconds after which it may be tried again. */
  readonly retryAfter?: number;
}
