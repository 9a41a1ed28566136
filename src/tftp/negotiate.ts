import { BATCH } from '../system/datagram.ts';
import type { TftpOptions } from '../wire/tftp/options.ts';
import type { TftpRequest } from '../wire/tftp/packet.ts';

/** RFC 1350 §2: what a block holds unless blksize says otherwise. */
const DEFAULT_BLOCK = 512;

/** An Ethernet frame's 1500 less IP (20), UDP (8) and TFTP (4): many ROMs and middleboxes drop fragments. */
const LARGEST_BLOCK = 1468;

/** What one system call sends; clients in the field ask for 4 to 64. */
const LARGEST_WINDOW = BATCH;

export interface Agreement {
  readonly blockSize: number;
  readonly windowSize: number;
  /** Milliseconds. */
  readonly resendAfter?: number;
  /** What the OACK says; absent when nothing was agreed, as then the first DATA is the answer (RFC 2347). */
  readonly oack?: TftpOptions;
}

/** Answers the options of a read of `length` octets: each is accepted, with a value no larger than the one asked for. */
export function negotiate(request: TftpRequest, length: number): Agreement {
  const { blksize, timeout, tsize, windowsize } = request.options;
  const oack: TftpOptions = {
    // The size as it would travel in netascii is nobody's business: clients take it for the size on disk
    ...(tsize !== undefined && request.mode === 'octet' && { tsize: length }),
    ...(blksize !== undefined && { blksize: Math.min(blksize, LARGEST_BLOCK) }),
    ...(timeout !== undefined && { timeout }),
    ...(windowsize !== undefined && { windowsize: Math.min(windowsize, LARGEST_WINDOW) }),
  };
  return {
    blockSize: oack.blksize ?? DEFAULT_BLOCK,
    windowSize: oack.windowsize ?? 1,
    ...(timeout !== undefined && { resendAfter: timeout * 1000 }),
    ...(Object.keys(oack).length > 0 && { oack }),
  };
}
