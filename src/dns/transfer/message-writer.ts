import type { NameKey } from '../../wire/dns/name.ts';
import { FRAME } from '../../wire/dns/message-frames.ts';
import { FLAG, HEADER } from '../../wire/dns/query.ts';
import { CLASS_IN } from '../../wire/dns/record-type.ts';
import type { ResourceRecord } from '../../wire/dns/resource-record.ts';

/** A pointer reaches so far (RFC 1035 §4.1.4): names that are farther in are written out. */
const REACH = 0x3fff;
/** TYPE, CLASS, TTL, RDLENGTH. */
const RECORD_FIXED = 10;

/**
 * Writes one message of answers, its length in front, owners compressed (RFC 5936 §3.4). Data are as they are: compressed
 * names in them would lose their spelling.
 */
export class MessageWriter {
  readonly #bytes: Buffer;
  readonly #limit: number;
  /** Names that are in the message, by where. */
  readonly #names = new Map<NameKey, number>();
  #end = FRAME + HEADER;
  #records = 0;

  /** `bytes` takes the length and `limit` octets of message. */
  constructor(bytes: Buffer, limit: number) {
    this.#bytes = bytes;
    this.#limit = FRAME + limit;
    bytes.fill(0, 0, FRAME + HEADER);
    bytes.writeUInt16BE(FLAG.QR | FLAG.AA, FRAME + 2);
  }

  get records(): number {
    return this.#records;
  }

  /** The question, which comes before all records. */
  question(name: NameKey, type: number): void {
    this.#writeName(name);
    this.#end = this.#bytes.writeUInt16BE(type, this.#end);
    this.#end = this.#bytes.writeUInt16BE(CLASS_IN, this.#end);
    this.#bytes.writeUInt16BE(1, FRAME + 4);
  }

  /** The ID and the question of who asked, as it was spelled. */
  echo(id: number, question: Uint8Array): void {
    this.#bytes.writeUInt16BE(id, FRAME);
    this.#bytes.writeUInt16BE(1, FRAME + 4);
    this.#bytes.set(question, this.#end);
    this.#end += question.length;
  }

  /** False, with nothing written, when the record may not fit. */
  add({ owner, type, ttl, data }: ResourceRecord): boolean {
    const bytes = this.#bytes;
    if (this.#end + owner.length + RECORD_FIXED + data.length > this.#limit) return false;
    this.#writeName(owner);
    let at = this.#end;
    at = bytes.writeUInt16BE(type, at);
    at = bytes.writeUInt16BE(CLASS_IN, at);
    at = bytes.writeUInt32BE(ttl, at);
    at = bytes.writeUInt16BE(data.length, at);
    this.#end = at + bytes.write(data, at, 'latin1');
    this.#records++;
    return true;
  }

  /** The message with its length in front: a view of the buffer. */
  finish(): Buffer {
    this.#bytes.writeUInt16BE(this.#records, FRAME + 6);
    this.#bytes.writeUInt16BE(this.#end - FRAME, 0);
    return this.#bytes.subarray(0, this.#end);
  }

  #writeName(name: NameKey): void {
    let from = 0;
    for (;;) {
      const length = name.charCodeAt(from);
      if (length === 0) break;
      const tail = (from === 0 ? name : name.slice(from)) as NameKey;
      const known = this.#names.get(tail);
      if (known !== undefined) {
        this.#end = this.#bytes.writeUInt16BE(0xc000 | known, this.#end);
        return;
      }
      const at = this.#end - FRAME;
      if (at <= REACH) this.#names.set(tail, at);
      this.#end += this.#bytes.write(name.slice(from, from + 1 + length), this.#end, 'latin1');
      from += 1 + length;
    }
    this.#end = this.#bytes.writeUInt8(0, this.#end);
  }
}
