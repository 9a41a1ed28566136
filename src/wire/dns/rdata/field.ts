import type { RdataReader } from './rdata-reader.ts';
import type { Words } from './words.ts';

/** One part of a record's data, in its three shapes. Wire form is one character per byte. */
export interface Field {
  /** In a name upper and lower case are the same. */
  readonly isName?: true;
  /** Text → wire form. Throws TextError. */
  parse(words: Words): string;
  /** What stands in a message → wire form, with names whole. Throws WireError. */
  read(reader: RdataReader): string;
  /** Wire form → text. Throws WireError. */
  format(reader: RdataReader): string;
}
