import { closeSync } from 'node:fs';

import type { FileAccount } from '../dhcp/account.ts';
import { CaseFinder } from '../system/case-finder.ts';
import { openServedFile } from '../system/open-file.ts';

/** What TFTP and HTTP would send. */
export type LookedAt =
  | { readonly kind: 'text'; readonly bytes: number }
  | { readonly kind: 'file'; readonly file: string; readonly bytes: number }
  | { readonly kind: 'missing' | 'refused'; readonly reason: string };

/** Opens it as the services do; as whoever asks, who may see less or more than the service. */
export function lookAtFile(is: FileAccount['is']): LookedAt {
  if (is.kind === 'text') return { kind: 'text', bytes: Buffer.byteLength(is.text) };
  if (is.kind === 'missing') return is;
  const opened = openServedFile(is.root, is.file, new CaseFinder());
  if (!('refused' in opened)) {
    closeSync(opened.fd);
    return { kind: 'file', file: is.file, bytes: opened.size };
  }
  const isMissing = opened.because === 'missing';
  if (isMissing && is.orElse) return lookAtFile(is.orElse);
  return { kind: isMissing ? 'missing' : 'refused', reason: `${is.file}: ${opened.refused}` };
}
