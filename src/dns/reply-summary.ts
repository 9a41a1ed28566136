import { keyText, readName } from '../wire/dns/name.ts';
import { HEADER } from '../wire/dns/query.ts';
import { RCODE, rcodeName } from '../wire/dns/rcode.ts';
import { formatRdata } from '../wire/dns/rdata/rdata.ts';
import { typeName } from '../wire/dns/record-type.ts';
import { readResponse } from '../wire/dns/response.ts';
import { WireError } from '../wire/wire-error.ts';

/** A record may have 64 KiB, and strangers write what is forwarded. */
const LONGEST_ANSWER = 200;

/** A question and its answer in words, for the timeline. */
export interface ReplySummary {
  readonly name: string;
  readonly type: string;
  /** The data of the first record as in a master file, cut where they are long; "NODATA"; or the name of the response code. */
  readonly answer: string;
}

/** Puts a reply that has a question into words, whoever wrote its records. Not for the hot path. */
export function summarize(reply: Uint8Array): ReplySummary {
  const { key, end } = readName(reply, HEADER);
  const type = ((reply[end] ?? 0) << 8) | (reply[end + 1] ?? 0);
  return { name: keyText(key), type: typeName(type), answer: answerText(reply) };
}

function answerText(reply: Uint8Array): string {
  const rcode = (reply[3] ?? 0) & 15;
  if (rcode !== RCODE.NOERROR) return rcodeName(rcode);
  if (reply[6] === 0 && reply[7] === 0) return 'NODATA';
  const text = firstData(reply);
  return text.length > LONGEST_ANSWER ? `${text.slice(0, LONGEST_ANSWER)}…` : text;
}

function firstData(reply: Uint8Array): string {
  try {
    const [record] = readResponse(reply).answers;
    return record === undefined ? 'NODATA' : formatRdata(record.type, record.data);
  } catch (error) {
    if (error instanceof WireError) return 'records that can not be read';
    throw error;
  }
}
