import { closeSync, readSync } from 'node:fs';
import type { Resolution } from '../boot/routes.ts';
import { openServedFile } from '../system/open-file.ts';
import { TFTP_ERROR } from '../wire/tftp/packet.ts';
import { toNetascii } from './netascii.ts';
import type { Refusal } from './refusal.ts';

/** The octets of one transfer as they travel. */
export interface Content {
  readonly length: number;
  /** Puts the `count` octets at `offset` into `into` at `at`. Throws when the file can't be read or became shorter. */
  read(offset: number, into: Uint8Array, at: number, count: number): void;
  close(): void;
}

/** netascii is for text, and text is converted in memory; a kernel asked for in this mode would arrive broken anyhow. */
const LARGEST_TEXT = 1024 * 1024;

/** Opens what a path stands for; the caller closes it. */
export function openContent(resolution: Resolution, mode: string): Content | Refusal {
  switch (resolution.kind) {
    case 'text':
      return textContent(new TextEncoder().encode(resolution.text), mode);
    case 'file':
      return openFile(resolution, mode);
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

function openFile({ root, file, instead }: Extract<Resolution, { kind: 'file' }>, mode: string): Content | Refusal {
  const opened = openServedFile(root, file, instead);
  if ('refused' in opened) {
    const missing = opened.because === 'missing';
    return missing
      ? { counter: 'not-found', code: TFTP_ERROR.fileNotFound, reason: opened.refused }
      : { counter: 'forbidden', code: TFTP_ERROR.accessViolation, reason: opened.refused };
  }
  const content = new FileContent(opened.fd, opened.size);
  return mode === 'netascii' ? convert(content) : content;
}

/** Reads the whole file, and closes it. */
function convert(file: FileContent): Content | Refusal {
  try {
    if (file.length > LARGEST_TEXT) {
      const reason = `netascii is for text of at most ${LARGEST_TEXT} bytes, found ${file.length}: use mode octet`;
      return { counter: 'mode', code: TFTP_ERROR.notDefined, reason };
    }
    const bytes = new Uint8Array(file.length);
    file.read(0, bytes, 0, bytes.length);
    return textContent(bytes, 'netascii');
  } catch (error) {
    return { counter: 'unreadable', code: TFTP_ERROR.notDefined, reason: messageOf(error) };
  } finally {
    file.close();
  }
}

class FileContent implements Content {
  readonly length: number;
  readonly #fd: number;

  constructor(fd: number, length: number) {
    this.#fd = fd;
    this.length = length;
  }

  read(offset: number, into: Uint8Array, at: number, count: number): void {
    for (let done = 0; done < count;) {
      const got = readSync(this.#fd, into, at + done, count - done, offset + done);
      if (got === 0) throw new Error(`the file ended at ${offset + done} bytes, expected ${this.length}`);
      done += got;
    }
  }

  close(): void {
    closeSync(this.#fd);
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
