import { decode } from 'dns-packet';

import { keyText, readName } from '../wire/dns/name.ts';
import { HEADER } from '../wire/dns/query.ts';
import { RCODE, rcodeName } from '../wire/dns/rcode.ts';
import { typeName } from '../wire/dns/record-type.ts';

/** A question and its answer in words, for the timeline. */
export interface ReplySummary {
  readonly name: string;
  readonly type: string;
  /** The data of the first record, "NODATA", or the name of the response code. */
  readonly answer: string;
}

/** Puts a reply of ours, which has a question, into words. Not for the hot path. */
export function summarize(reply: Uint8Array): ReplySummary {
  const { key, end } = readName(reply, HEADER);
  const type = ((reply[end] ?? 0) << 8) | (reply[end + 1] ?? 0);
  return { name: keyText(key), type: typeName(type), answer: answerText(reply) };
}

function answerText(reply: Uint8Array): string {
  const rcode = (reply[3] ?? 0) & 15;
  if (rcode !== RCODE.NOERROR) return rcodeName(rcode);
  // ANCOUNT: what has answers has a name of ours, so the decoder sees nothing a stranger wrote
  if (reply[6] === 0 && reply[7] === 0) return 'NODATA';
  const record = decode(Buffer.from(reply)).answers?.[0];
  if (!record || !('data' in record)) return 'NODATA';
  return typeof record.data === 'string' ? record.data : record.type;
}
