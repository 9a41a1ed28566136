/** What a file is asked for by: where to begin, and what was begun. */
export interface FileWish {
  /** Bytes that are here already. */
  readonly from: number;
  /** As long as it is said to be; absent where nobody says. */
  readonly size?: number;
  /** A strong validator (RFC 9110 §8.8) of what these bytes are of. */
  readonly validator?: string | undefined;
  readonly signal: AbortSignal;
}

export interface FileFlow {
  /** The first byte that comes: `from`, or 0 where the file changed or the server gives no parts. */
  readonly first: number;
  readonly validator?: string;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** Where the files of a source are. Both throw TransferError, or AbortError when the signal says so. */
export interface Origin {
  /** For messages: the place of a path. */
  locate(path: string): string;
  open(path: string, wish: FileWish): Promise<FileFlow>;
  /** Gives back what it holds on to between files. */
  close?(): void;
}

/** A small file whole; undefined when it is more than `most` bytes. Throws what the origin throws. */
export async function readWhole(
  origin: Origin,
  path: string,
  most: number,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  const { chunks } = await origin.open(path, { from: 0, signal });
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
    if (length > most) return undefined;
    parts.push(chunk);
  }
  return Buffer.concat(parts);
}
