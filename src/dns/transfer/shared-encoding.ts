import type { NameKey } from '../../wire/dns/name.ts';
import { FRAME, MAX_MESSAGE } from '../../wire/dns/message-frames.ts';
import { TYPE } from '../../wire/dns/record-type.ts';
import type { ResourceRecord } from '../../wire/dns/resource-record.ts';
import { MessageWriter } from './message-writer.ts';

/** All owners of a message this long can be pointed at; and it is written in well below a millisecond. */
const USUAL_MESSAGE = 16_384;
/** What a signature may add (RFC 8945): a message that holds one large record leaves room for it. */
const SIGNATURE_ROOM = 700;

/**
 * A zone, or the way from one serial of it to another, as the messages of a transfer. They are written one at a time, when
 * the fastest of those that share them needs the next.
 */
export class SharedEncoding {
  readonly #origin: NameKey;
  readonly #records: Iterator<ResourceRecord>;
  readonly #messages: Buffer[] = [];
  readonly #room = Buffer.alloc(FRAME + MAX_MESSAGE);
  #next: ResourceRecord | undefined;

  /** `records`: as they are sent, SOAs included; at least one. */
  constructor(origin: NameKey, records: Iterable<ResourceRecord>) {
    this.#origin = origin;
    this.#records = records[Symbol.iterator]();
    this.#step();
  }

  /** The message of that number, its length in front and ID 0; undefined behind the last. The first has a question for AXFR. */
  message(index: number): Buffer | undefined {
    while (index >= this.#messages.length && this.#next) this.#write();
    return this.#messages[index];
  }

  #write(): void {
    const isFirst = this.#messages.length === 0;
    const writer = new MessageWriter(this.#room, USUAL_MESSAGE);
    if (isFirst) writer.question(this.#origin, TYPE.AXFR);
    while (this.#next && writer.add(this.#next)) this.#step();
    this.#messages.push(Buffer.from(writer.records > 0 ? writer.finish() : this.#writeLarge(isFirst)));
  }

  /** A record that is larger than a message usually is. */
  #writeLarge(isFirst: boolean): Buffer {
    const writer = new MessageWriter(this.#room, MAX_MESSAGE - SIGNATURE_ROOM);
    if (isFirst) writer.question(this.#origin, TYPE.AXFR);
    if (this.#next) writer.add(this.#next);
    this.#step();
    return writer.finish();
  }

  #step(): void {
    const { done, value } = this.#records.next();
    this.#next = done === true ? undefined : value;
  }
}
