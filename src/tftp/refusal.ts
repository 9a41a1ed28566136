/** Why a request is not served. */
export interface Refusal {
  /** Counted as `refused.<counter>`. */
  readonly counter: string;
  /** The code of the ERROR packet (TFTP_ERROR). */
  readonly code: number;
  /** A plain sentence, for the client and the event alike. */
  readonly reason: string;
}
