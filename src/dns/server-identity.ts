import { nameKey } from '../wire/dns/name.ts';
import { HEADER, type DnsQuery } from '../wire/dns/query.ts';
import { compileSet, type RecordSet } from '../wire/dns/record-set.ts';
import { CLASS_CH, TYPE } from '../wire/dns/record-type.ts';
import { SECTION, type ReplyWriter } from './reply-writer.ts';

const NAMES = ['id.server', 'hostname.bind'].map(nameKey);
/** Where in a compiled record its class stands, in two octets. */
const CLASS_AT = 4;

/**
 * Which server this is, in the CHAOS class (RFC 4892, and the name BIND had for it before). What version it runs is told to
 * nobody: that helps only who looks for one with a hole.
 */
export class ServerIdentity {
  readonly #text: RecordSet | undefined;

  /** `nsid`: empty to keep it to ourselves. */
  constructor(nsid: string) {
    this.#text = nsid === '' ? undefined : inChaos(nsid);
  }

  /** Writes the answer to a question of class CH; false for one that is refused. */
  answer({ type, path }: DnsQuery, writer: ReplyWriter): boolean {
    if (!this.#text || (type !== TYPE.TXT && type !== TYPE.ANY)) return false;
    return NAMES.some((name) => path.equals(name, 0)) && writer.add(SECTION.ANSWER, this.#text, HEADER);
  }
}

function inChaos(text: string): RecordSet {
  const data = String.fromCharCode(text.length) + text;
  const set = compileSet({ owner: nameKey('id.server'), type: TYPE.TXT, ttl: 0, data });
  return {
    ...set,
    wire: set.wire.slice(0, CLASS_AT) + String.fromCharCode(0, CLASS_CH) + set.wire.slice(CLASS_AT + 2),
  };
}
