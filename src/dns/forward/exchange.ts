import type { ResponseHead } from '../../wire/dns/response.ts';

/** What came of a message that was sent to an upstream. */
export type Told =
  /** The response to this very question. `bytes` is valid only inside the call. */
  | {
      readonly kind: 'reply';
      readonly bytes: Buffer;
      readonly head: ResponseHead;
      /** The question came back letter by letter, or needs not to: on a stream, and where it may be left out. */
      readonly isSpelled: boolean;
    }
  /** Nothing came in time. */
  | { readonly kind: 'silent' }
  /** Too many questions wait already: it was not sent, which says nothing of the upstream. */
  | { readonly kind: 'busy' }
  /** Nobody listens, the connection broke, or there is no way. */
  | { readonly kind: 'unreachable'; readonly reason: string };

/** Sends it once more as it was, and waits so long from now; nothing where all is said, or nothing gets lost. */
export type Repeat = (withinMilliseconds: number) => void;

/** One way to an upstream: by datagrams or by a stream. */
export interface Exchange {
  /** Sends a message, whose id it sets; calls `take` once, perhaps before it returns. */
  ask(message: Buffer, withinMilliseconds: number, take: (told: Told) => void): Repeat;
  close(): void;
}

/** Datagrams leave from ports that they share for a while, or each from its own. */
export interface DatagramExchange extends Exchange {
  /** As `ask`, from a port that nothing else is asked from: who found one that is open has found one question's. */
  readonly askAlone: Exchange['ask'];
}

/** Hears what no question is told of. */
export interface ExchangeWatcher {
  /** A message that is no answer to a question of ours: forged, or from a server that is broken. */
  wrong(): void;
  /** An answer after its time. */
  late(): void;
}
