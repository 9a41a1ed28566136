/** A file that could not be had. */
export class TransferError extends Error {
  override readonly name = 'TransferError';
  /** It may work the next time: a cut, a server in trouble. */
  readonly mayPass: boolean;

  constructor(message: string, mayPass: boolean) {
    super(message);
    this.mayPass = mayPass;
  }
}

/** Something came, but so slowly that it would never be done. */
export class TooSlowError extends TransferError {
  constructor(message: string) {
    super(message, true);
  }
}

/** There is no room for it: nothing else will be either. */
export class DiskFullError extends Error {
  override readonly name = 'DiskFullError';
}

/** A file of the shelf is not what it is to be. */
export class ShelfError extends Error {
  override readonly name = 'ShelfError';
}
