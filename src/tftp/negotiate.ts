import type { TftpOptions } from '../wire/tftp/options.ts';
import { DATA_HEADER, type TftpRequest } from '../wire/tftp/packet.ts';

/** RFC 1350 §2: what a block holds unless blksize says otherwise. */
const DEFAULT_BLOCK = 512;

/** RFC 2348: no smaller block can be agreed on. */
const LEAST_BLOCK = 8;

/** Octets of a packet before a block: IP without options, UDP and TFTP. */
const HEADERS = 20 + 8 + DATA_HEADER;

/** What this server allows; a Plan's `tftp` is one. */
export interface Bounds {
  /** Octets of file in one DATA. */
  readonly blockSize: number;
  /** Blocks before an ACK is awaited. */
  readonly window: number;
}

export interface Agreement {
  readonly blockSize: number;
  readonly windowSize: number;
  /** Milliseconds. */
  readonly resendAfter?: number;
  /** What the OACK says; absent when nothing was agreed, as then the first DATA is the answer (RFC 2347). */
  readonly oack?: TftpOptions;
}

/**
 * Answers the options of a read of `length` octets: each is accepted, with a value no larger than the one asked for.
 * `mtu`: octets of the largest packet that gets to the client whole, where that is known.
 */
export function negotiate(request: TftpRequest, length: number, bounds: Bounds, mtu: number = Infinity): Agreement {
  const { blksize, timeout, tsize, windowsize } = request.options;
  const oack: TftpOptions = {
    // The size as it would travel in netascii is nobody's business: clients take it for the size on disk
    ...(tsize !== undefined && request.mode === 'octet' && { tsize: length }),
    ...(blksize !== undefined && { blksize: Math.min(blksize, bounds.blockSize, blockWithin(mtu)) }),
    ...(timeout !== undefined && { timeout }),
    ...(windowsize !== undefined && { windowsize: Math.min(windowsize, bounds.window) }),
  };
  return {
    blockSize: oack.blksize ?? DEFAULT_BLOCK,
    windowSize: oack.windowsize ?? 1,
    ...(timeout !== undefined && { resendAfter: timeout * 1000 }),
    ...(Object.keys(oack).length > 0 && { oack }),
  };
}

function blockWithin(mtu: number): number {
  return Math.max(LEAST_BLOCK, mtu - HEADERS);
}
