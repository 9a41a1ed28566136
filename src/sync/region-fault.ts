/**
 * `away`: it can't be reached, or answers nothing that helps. `unknown`: it does not take this rack's key. `rejected`: it understands
 * us well, and will not take what we say.
 */
export type FaultKind = 'away' | 'unknown' | 'rejected';

/** Why the region did not do what it was asked to. The message has nothing secret in it. */
export class RegionFault extends Error {
  override readonly name = 'RegionFault';
  readonly kind: FaultKind;
  /** Milliseconds for which it wants to be left alone. */
  readonly retryAfter: number;

  constructor(kind: FaultKind, message: string, retryAfter = 0) {
    super(message);
    this.kind = kind;
    this.retryAfter = retryAfter;
  }
}
