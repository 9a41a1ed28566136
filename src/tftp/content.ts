import type { Resolution } from '../boot/routes.ts';
import type { CaseFinder } from '../system/case-finder.ts';
import { openServedFile } from '../system/open-file.ts';
import { messageOf } from '../system/message-of.ts';
import { TFTP_ERROR } from '../wire/tftp/packet.ts';
import { toNetascii } from './netascii.ts';
import type { Refusal } from './refusal.ts';
import type { SharedFiles } from './shared-files.ts';

/** The octets of one transfer as they travel. */
export interface Content {
  readonly length: number;
  /** Puts the `count` octets at `offset` into `into` at `at`. Throws when the file can't be read or became shorter. */
  read(offset: number, into: Uint8Array, at: number, count: number): void;
  close(): void;
}

type ServedFile = Extract<Resolution, { kind: 'file' }>;

/**
 * netascii is for text, and text is converted in memory, anew for each of thousands of transfers that may run; a kernel
 * asked for in this mode would arrive broken anyhow.
 */
const LARGEST_TEXT = 64 * 1024;

/** Where files come from. */
export interface Shelf {
  readonly files: SharedFiles;
  readonly finder: CaseFinder;
}

/** Opens what a path stands for; the caller closes it. */
export function openContent(resolution: Resolution, mode: string, shelf: Shelf): Content | Refusal {
  switch (resolution.kind) {
    case 'text':
      return textContent(new TextEncoder().encode(resolution.text), mode);
    case 'file':
      return openFile(resolution, mode, shelf);
    case 'missing':
      return { counter: 'not-found', code: TFTP_ERROR.fileNotFound, reason: resolution.reason };
  }
}

function textContent(text: Uint8Array, mode: string): Content {
  const bytes = mode === 'netascii' ? toNetascii(text) : text;
  return {
    length: bytes.length,
    read: (offset, into, at, count) => into.set(bytes.subarray(offset, offset + count), at),
    close: () => undefined,
  };
}

function openFile({ root, file, orElse }: ServedFile, mode: string, shelf: Shelf): Content | Refusal {
  const opened = openServedFile(root, file, shelf.finder);
  if ('refused' in opened) {
    const missing = opened.because === 'missing';
    if (missing && orElse) return openContent(orElse, mode, shelf);
    return missing
      ? { counter: 'not-found', code: TFTP_ERROR.fileNotFound, reason: opened.refused }
      : { counter: 'forbidden', code: TFTP_ERROR.accessViolation, reason: opened.refused };
  }
  try {
    const content = shelf.files.open(opened.fd);
    return mode === 'netascii' ? convert(content) : content;
  } catch (error) {
    // A file server may be gone from one moment to the next
    return { counter: 'unreadable', code: TFTP_ERROR.notDefined, reason: messageOf(error) };
  }
}

/** Reads the whole file, and closes it. Throws when it can't be read. */
function convert(file: Content): Content | Refusal {
  try {
    if (file.length > LARGEST_TEXT) {
      const reason = `netascii is for text of at most ${LARGEST_TEXT} bytes, found ${file.length}: use mode octet`;
      return { counter: 'mode', code: TFTP_ERROR.notDefined, reason };
    }
    const bytes = new Uint8Array(file.length);
    file.read(0, bytes, 0, bytes.length);
    return textContent(bytes, 'netascii');
  } finally {
    file.close();
  }
}
