import { isBusy, isDamage, isDiskTrouble } from '../system/database-file.ts';
import { StreamError } from './streams/stream-error.ts';
import { DiskFullError, ShelfError, TransferError } from './transfer-error.ts';

const OWN = [StreamError, TransferError, DiskFullError, ShelfError];

/**
 * In words, what went wrong outside of this program: a mirror, a disk, the index. One file or one source suffers for it, and the
 * rest goes on. Undefined of what is a fault of ours.
 */
export function faultOf(error: unknown): string | undefined {
  if (OWN.some((kind) => error instanceof kind)) return (error as Error).message;
  if (isDiskTrouble(error) || isBusy(error) || isDamage(error)) {
    return `the index of images can't be used: ${(error as Error).message}`;
  }
  return isSystemError(error) ? error.message : undefined;
}

/** What a system call was refused with: "EIO: i/o error, write". */
function isSystemError(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && 'syscall' in error && 'errno' in error;
}
