import { Words } from '../../../../src/wire/dns/rdata/words.ts';
import { MasterLexer } from '../../../../src/zones/master-lexer.ts';

/** Below "example.", as the names of the fixtures are. */
export const ORIGIN = '\x07example\0';

export function wordsOf(text: string): Words {
  return new Words(new MasterLexer(text).next()?.words ?? [], ORIGIN);
}

export function bytesOf(wire: string): Buffer {
  return Buffer.from(wire, 'latin1');
}
