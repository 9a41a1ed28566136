import { WireError } from '../../wire-error.ts';
import { withLength } from './character-string.ts';
import type { Field } from './field.ts';
import type { RdataReader } from './rdata-reader.ts';
import { TextError } from './text-error.ts';
import { showWord } from './words.ts';

const EXPECTED = 'a tag of letters and digits like issue';
const TAG = /^[A-Za-z0-9]{1,255}$/;

/** The property that a CAA record sets (RFC 8659 §4.1). */
export const propertyTag: Field = {
  parse(words) {
    const { text } = words.take(EXPECTED);
    if (!TAG.test(text)) throw new TextError(EXPECTED, showWord(text));
    return withLength(text);
  },
  read: (reader) => withLength(readTag(reader)),
  format: readTag,
};

function readTag(reader: RdataReader): string {
  const tag = reader.string();
  if (!TAG.test(tag)) throw new WireError(`expected ${EXPECTED}`);
  return tag;
}
