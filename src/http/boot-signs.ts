import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

import { parseIp4 } from '../addr/ip4.ts';
import { parseMac } from '../addr/mac.ts';
import type { Doer } from '../boots/boot-sign.ts';
import type { SignSink } from '../service/service.ts';
import type { Libc } from '../system/libc.ts';
import type { Exchange } from './ledger.ts';
import { whenTaken } from './when-taken.ts';

const CONTENT_RANGE = /^bytes (\d+)-(\d+)\/(\d+)$/;

/** Each keeps a descriptor open for up to a minute. Past so many the kernel's word that it was sent is enough. */
const MOST_WAITING = 1024;

/** Tells what machines were sent on their way through a boot, once they have it. */
export class BootSigns {
  readonly #signs: SignSink | undefined;
  readonly #libc: Libc;
  #waiting = 0;

  constructor(signs: SignSink | undefined, libc: Libc) {
    this.#signs = signs;
    this.#libc = libc;
  }

  /** An answer to a GET that left whole, with status 200 or 206. `connection`: what it left by. */
  sent({ found, subject }: Exchange, response: ServerResponse, connection: Socket): void {
    const signs = this.#signs;
    const doer = doerOf(subject);
    if (!signs || !doer) return;
    if (found?.kind === 'text' && found.script) signs.sign({ kind: 'script', ...found.script, ...doer });
    if (found?.kind !== 'file' || !found.isOfEntry) return;
    const part = partOf(response);
    const { file } = found;
    if (part) this.#afterTaken(connection, () => signs.sign({ kind: 'file', file, ...part, ...doer }));
  }

  #afterTaken(connection: Socket, tell: () => void): void {
    if (this.#waiting >= MOST_WAITING) return tell();
    this.#waiting++;
    whenTaken(this.#libc, connection, (isTaken) => {
      this.#waiting--;
      if (isTaken) tell();
    });
  }
}

function doerOf({ address, mac }: Exchange['subject']): Doer | undefined {
  const from = address === undefined ? undefined : parseIp4(address);
  const machine = mac === undefined ? undefined : parseMac(mac);
  return from === undefined ? undefined : { address: from, ...(machine !== undefined && { mac: machine }) };
}

/** Which bytes it held; undefined for several parts at once, which no firmware asks for. */
function partOf(response: ServerResponse): { first: number; last: number; size: number } | undefined {
  if (response.statusCode === 200) {
    const size = Number(response.getHeader('Content-Length') ?? Number.NaN);
    return Number.isInteger(size) ? { first: 0, last: size - 1, size } : undefined;
  }
  const match = CONTENT_RANGE.exec(String(response.getHeader('Content-Range')));
  return match ? { first: Number(match[1]), last: Number(match[2]), size: Number(match[3]) } : undefined;
}
