import { HEADER } from '../../wire/dns/query.ts';
import { RCODE } from '../../wire/dns/rcode.ts';
import { readResponseHead, type ResponseHead } from '../../wire/dns/response.ts';
import { WireError } from '../../wire/wire-error.ts';

/** Whether a response repeats the question of `sent`: letter by letter, in other letters, or not at all. */
export function matchReply(
  sent: Buffer,
  bytes: Buffer,
  { question, rcode }: ResponseHead,
): 'same' | 'respelled' | 'none' {
  // Some servers say so to EDNS by their header alone (RFC 6891 §7): it can only make us ask again without. Any other
  // code would be a guess at id and port, without our letters
  if (!question) return rcode === RCODE.FORMERR || rcode === RCODE.NOTIMP ? 'same' : 'none';
  const { end } = question;
  let isSame = true;
  for (let at = HEADER; at < end; at++) {
    const [ours, theirs] = [sent[at] ?? 0, bytes[at] ?? 0];
    if (ours === theirs) continue;
    if (lower(ours) !== lower(theirs) || at >= end - 4) return 'none';
    isSame = false;
  }
  return isSame ? 'same' : 'respelled';
}

function lower(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
}

/** The head of a response; undefined for what is none. */
export function headOf(bytes: Buffer): ResponseHead | undefined {
  try {
    return readResponseHead(bytes);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
