import { WireError } from '../../wire-error.ts';
import { expandName, latin1 } from '../compressed-name.ts';

/** Reads the data of one record, front to back and never past its end. Everything throws WireError for what is not there. */
export class RdataReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    if (end > bytes.length) throw new WireError('record data run past the end');
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  /** Octets not read yet. */
  get left(): number {
    return this.#end - this.#at;
  }

  take(octets: number): string {
    const from = this.#step(octets);
    return latin1(this.#bytes, from, this.#at);
  }

  takeRest(): string {
    return this.take(this.left);
  }

  u8(): number {
    return this.#bytes[this.#step(1)] ?? 0;
  }

  u16(): number {
    const at = this.#step(2);
    return ((this.#bytes[at] ?? 0) << 8) | (this.#bytes[at + 1] ?? 0);
  }

  u32(): number {
    return ((this.u16() << 16) | this.u16()) >>> 0;
  }

  /** A name, whole: pointers into the rest of the message are followed. */
  name(): string {
    const { name, end } = expandName(this.#bytes, this.#at);
    this.#step(end - this.#at);
    return name;
  }

  /** A name of a type that is never compressed (RFC 3597 §4). */
  plainName(): string {
    const from = this.#at;
    const name = this.name();
    if (this.#at - from !== name.length) throw new WireError('a compressed name where none may be');
    return name;
  }

  /** A character string without the octet of its length (RFC 1035 §3.3). */
  string(): string {
    return this.take(this.u8());
  }

  end(): void {
    if (this.left > 0) throw new WireError(`${this.left} octets too many`);
  }

  #step(octets: number): number {
    const from = this.#at;
    if (octets > this.left) throw new WireError('record data are cut off');
    this.#at += octets;
    return from;
  }
}
