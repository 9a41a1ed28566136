import { appendFileSync, existsSync } from 'node:fs';
import { basename, join } from 'node:path';

import { writeMac, type Mac } from '../../src/addr/mac.ts';
import { writeIpDatagram } from '../../src/system/ip-datagram.ts';
import { pcapHeader, pcapRecord } from '../fixtures/pcap.ts';
import type { Sent } from './memory-wire.ts';

/** So many replies of a process are kept whole; of those after them only the ones of a new form. */
const KEPT = 500;
const SERVER_MAC = 0x02_00_00_00_00_01 as Mac;
const NOBODY = 0xff_ff_ff_ff_ff_ff as Mac;

/**
 * Keeps what the service sends in tests, in Ethernet frames, one capture for each test file, in the directory that
 * RACKBOOT_REPLIES names. `test/interop/replies.test.ts` has tshark judge them.
 */
export class ReplyRecord {
  readonly #file: string | undefined;
  readonly #forms = new Set<string>();
  #kept = 0;

  constructor(directory = process.env['RACKBOOT_REPLIES'], program = process.argv[1] ?? '') {
    this.#file = directory === undefined ? undefined : join(directory, `${basename(program)}.pcap`);
  }

  add(sent: Sent): void {
    if (this.#file === undefined || (this.#kept++ >= KEPT && !this.#isNew(sent.bytes))) return;
    if (!existsSync(this.#file)) appendFileSync(this.#file, pcapHeader());
    appendFileSync(this.#file, pcapRecord(frameOf(sent), this.#kept));
  }

  /** Whether no reply before had these options in this order with these lengths. */
  #isNew(bytes: Uint8Array): boolean {
    const form: number[] = [];
    for (let at = 240; at < bytes.length && bytes[at] !== 255; at += 2 + (bytes[at + 1] ?? 0)) {
      form.push(bytes[at] ?? 0, bytes[at + 1] ?? 0);
    }
    const text = form.join();
    if (this.#forms.has(text)) return false;
    this.#forms.add(text);
    return true;
  }
}

/** As it looks on the wire; one sent by UDP comes from the address and port that its socket has. */
function frameOf(sent: Sent): Uint8Array {
  const frame = new Uint8Array(14 + 28 + sent.bytes.length);
  writeMac(frame, 0, sent.via === 'link' ? (sent.to.mac as Mac) : NOBODY);
  writeMac(frame, 6, SERVER_MAC);
  frame.set([8, 0], 12);
  const { address, port, source } = sent.to;
  const to = { ifindex: 0, mac: 0, address, port, source: source ?? address, sourcePort: 67 };
  writeIpDatagram(frame, 14, sent.bytes, to);
  return frame;
}
