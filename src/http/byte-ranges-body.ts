import type { Span } from '../wire/http/byte-range.ts';

/** What an answer's body is made of, in order: bytes of ours, and bytes of the file. */
export type Piece = Uint8Array | Span;

export interface ByteRangesBody {
  readonly contentType: string;
  readonly pieces: readonly Piece[];
}

/**
 * multipart/byteranges (RFC 9110 §14.6). `boundary`: must not occur in the file, so the caller makes it of random bytes.
 */
export function byteRangesBody(parts: readonly Span[], size: number, boundary: string): ByteRangesBody {
  const pieces = parts.flatMap((part, i): Piece[] => [
    Buffer.from(
      `${i === 0 ? '' : '\r\n'}--${boundary}\r\n` +
        'Content-Type: application/octet-stream\r\n' +
        `Content-Range: bytes ${part.first}-${part.last}/${size}\r\n\r\n`,
    ),
    part,
  ]);
  pieces.push(Buffer.from(`\r\n--${boundary}--\r\n`));
  return { contentType: `multipart/byteranges; boundary=${boundary}`, pieces };
}

/** Bytes in all. */
export function lengthOf(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, piece) => sum + ('first' in piece ? piece.last - piece.first + 1 : piece.length), 0);
}
