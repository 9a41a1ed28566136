/** A request that is answered with an error status. */
export interface Refusal {
  readonly status: 400 | 403 | 404 | 405 | 413 | 416;
  /** Under which name it is counted. */
  readonly label: string;
  /** One plain sentence, for the client and for the timeline. */
  readonly reason: string;
}
