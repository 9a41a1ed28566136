import { closeSync, fstatSync, readSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

import type { OpenedFile } from '../system/open-file.ts';
import { lengthOf, type Piece } from './byte-ranges-body.ts';
import type { FileSender } from './file-sender.ts';
import type { Exchange } from './ledger.ts';
import type { SendLimits } from './send-limits.ts';
import type { Sending, SendingSigns } from './send-schedule.ts';

export interface FileBodyDependencies {
  readonly sender: FileSender;
  readonly limits: SendLimits;
}

/**
 * A response's body on its way out: pieces of an open file, and bytes of ours between them. Its header goes through Node and
 * is held in the kernel until file bytes fill its packet; those the kernel takes from the page cache. When the socket is full,
 * or the connection still another response's, Node is given some bytes: its callback tells when they left.
 */
export class FileBody implements Sending {
  readonly length: number;
  readonly client: string;
  readonly #response: ServerResponse;
  readonly #socket: Socket;
  readonly #exchange: Exchange;
  readonly #file: OpenedFile;
  readonly #pieces: readonly Piece[];
  readonly #sender: FileSender;
  readonly #limits: SendLimits;
  #signs: SendingSigns | undefined;
  #state: 'ready' | 'blocked' | 'ended' = 'ready';
  /** The piece it is at, and how far into it. */
  #at = 0;
  #done = 0;
  #given = 0;
  #isDirect = true;
  #isHeld = false;
  /** What Node is given; free again when its callback comes. */
  #buffer: Buffer | undefined;

  /** `file` is closed when the transfer ends, whichever way. */
  constructor(
    response: ServerResponse,
    exchange: Exchange,
    file: OpenedFile,
    pieces: readonly Piece[],
    { sender, limits }: FileBodyDependencies,
  ) {
    this.length = lengthOf(pieces);
    this.#response = response;
    this.#socket = response.req.socket;
    this.client = this.#socket.remoteAddress ?? '';
    this.#exchange = exchange;
    this.#file = file;
    this.#pieces = pieces;
    this.#sender = sender;
    this.#limits = limits;
    exchange.bytes = 0;
  }

  get isReady(): boolean {
    return this.#state === 'ready';
  }

  begin(signs: SendingSigns): void {
    this.#signs = signs;
    this.#response.once('close', () => this.#finish());
    // The schedule judges who stalls: Node sees nothing of what the kernel sends.
    this.#socket.setTimeout(0);
    if (this.length >= this.#limits.large)
      this.#sender.readAhead(this.#file.fd, this.#offset(), Math.min(this.length, this.#limits.readAhead));
    if (this.#isGone()) this.#finish();
  }

  turn(most: number): number {
    const before = this.#given;
    try {
      if (!this.#response.headersSent) this.#sendHeader();
      while (this.#state === 'ready' && this.#given - before < most) this.#step(most - (this.#given - before));
    } catch (error) {
      this.#fail(
        `the file can't be read (${error instanceof Error && 'code' in error ? String(error.code) : 'error'})`,
      );
    }
    this.#exchange.bytes = this.#given;
    return this.#given - before;
  }

  delivered(): number | undefined {
    // Behind another response, it is not this one's client that is slow
    if (this.#response.socket === null) return undefined;
    return Math.max(0, this.#given - this.#sender.unacknowledged(this.#socket));
  }

  get given(): number {
    return this.#given;
  }

  hasPlace(waited: number): void {
    this.#exchange.waited = waited;
  }

  giveUp(reason: string): void {
    this.#fail(reason);
  }

  /** By itself only where it leaves at once: else the first bytes take it along. */
  #sendHeader(): void {
    if (this.#isGone() || this.#response.socket !== this.#socket || this.#socket.writableLength > 0) return;
    this.#isHeld = this.#sender.hold(this.#socket);
    if (this.#isHeld) this.#response.flushHeaders();
  }

  #step(most: number): void {
    const piece = this.#pieces[this.#at];
    if (this.#isGone() || piece === undefined) return this.#finish();
    if (!('first' in piece)) return this.#write(piece, piece.length);
    const left = piece.last + 1 - piece.first - this.#done;
    if (this.#isDirect && this.#response.headersSent && this.#socket.writableLength === 0) this.#send(most, left);
    else this.#read(Math.min(most, left, this.#isDirect ? this.#limits.chunk : this.#limits.readChunk), left);
  }

  /** `left`: bytes of this piece that are still to go. */
  #send(most: number, left: number): void {
    const { chunk } = this.#limits;
    const isLast = this.#at === this.#pieces.length - 1;
    // The end is held back for a last look whether it is still the same file
    const held = isLast && left > chunk ? chunk : 0;
    if (isLast && held === 0 && !this.#isSameFile()) return;
    const sent = this.#sender.send(this.#socket, this.#file.fd, this.#offset(), Math.min(most, left - held));
    if (sent === 'full') this.#read(Math.min(most, left, chunk), left);
    else if (sent === 'unable') this.#isDirect = false;
    else if (sent === 'gone') this.#breakOff();
    else if (typeof sent !== 'number') this.#fail(sent.fault);
    else if (sent === 0) this.#fail('the file became shorter while it was sent');
    else this.#sent(sent, left);
  }

  #sent(bytes: number, left: number): void {
    this.#advance(bytes);
    if (bytes < left) return;
    this.#nextPiece();
    if (this.#at < this.#pieces.length) return;
    this.#response.end();
    this.#finish();
  }

  #read(most: number, left: number): void {
    if (this.#buffer === undefined || this.#buffer.length < most) this.#buffer = Buffer.allocUnsafeSlow(most);
    const read = readSync(this.#file.fd, this.#buffer, 0, most, this.#offset());
    if (read === 0) this.#fail('the file became shorter while it was sent');
    else this.#write(this.#buffer.subarray(0, read), left);
  }

  /** `left`: bytes of this piece that are still to go, these included. */
  #write(bytes: Uint8Array, left: number): void {
    this.#advance(bytes.length);
    if (bytes.length === left) this.#nextPiece();
    if (this.#at < this.#pieces.length) {
      this.#state = 'blocked';
      this.#response.write(bytes, () => this.#written());
    } else if (this.#isSameFile()) {
      this.#response.end(bytes);
      this.#finish();
    }
  }

  #written(): void {
    if (this.#state !== 'blocked') return;
    this.#state = 'ready';
    this.#signs?.ready();
  }

  /** A file that was replaced is another, and this one goes on; one that was written into must not pass for either. */
  #isSameFile(): boolean {
    const { size, mtimeMs } = fstatSync(this.#file.fd);
    if (size === this.#file.size && mtimeMs === this.#file.mtimeMs) return true;
    this.#fail('the file was changed while it was sent');
    return false;
  }

  #advance(bytes: number): void {
    this.#given += bytes;
    this.#done += bytes;
  }

  #nextPiece(): void {
    this.#at++;
    this.#done = 0;
  }

  #offset(): number {
    const piece = this.#pieces[this.#at];
    return piece !== undefined && 'first' in piece ? piece.first + this.#done : 0;
  }

  #isGone(): boolean {
    return this.#response.destroyed || this.#socket.destroyed;
  }

  /** The promised length can't be kept any more, and only a broken connection tells the client. */
  #fail(reason: string): void {
    if (this.#state === 'ended') return;
    this.#exchange.fault = reason;
    this.#breakOff();
  }

  /** With a reset where that can be: a client of HTTP/1.0 may take an orderly end for the end of the file. */
  #breakOff(): void {
    this.#finish();
    if ('encrypted' in this.#socket) this.#socket.destroy();
    else this.#socket.resetAndDestroy();
  }

  #finish(): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    closeSync(this.#file.fd);
    if (this.#isHeld) this.#sender.letGo(this.#socket);
    // What comes after it on this connection is Node's to watch again
    if (!this.#socket.destroyed) this.#socket.setTimeout(this.#limits.stallWindow);
    this.#signs?.ended();
  }
}
