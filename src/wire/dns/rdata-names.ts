import { WireError } from '../wire-error.ts';
import { expandName, latin1, type NameEnds } from './compressed-name.ts';
import { TYPE } from './record-type.ts';

/** Where in the data of a record names stand. Behind the last of them may be more. */
interface NameLayout {
  /** Octets before the first name. */
  readonly before: number;
  /** Character strings between those and the first name (RFC 3403 §4.1). */
  readonly strings?: number;
  readonly names: number;
  /** Octets behind the last name; absent: any number. */
  readonly behind?: number;
}

const ONE_NAME: NameLayout = { before: 0, names: 1, behind: 0 };
const TWO_NAMES: NameLayout = { before: 0, names: 2, behind: 0 };
const NUMBER_AND_NAME: NameLayout = { before: 2, names: 1, behind: 0 };

/**
 * Types whose data may come with compressed names: those of RFC 1035, and those that RFC 3597 §4 asks a reader to bear
 * with. In all others a name is never compressed, and is carried over as it is.
 */
const LAYOUTS: ReadonlyMap<number, NameLayout> = new Map([
  [TYPE.NS, ONE_NAME],
  [TYPE.CNAME, ONE_NAME],
  [TYPE.PTR, ONE_NAME],
  [TYPE.DNAME, ONE_NAME],
  [TYPE.SOA, { before: 0, names: 2, behind: 20 }],
  [TYPE.MX, NUMBER_AND_NAME],
  [TYPE.SRV, { before: 6, names: 1, behind: 0 }],
  [TYPE.NAPTR, { before: 4, strings: 3, names: 1, behind: 0 }],
  [TYPE.RRSIG, { before: 18, names: 1 }],
  [TYPE.NSEC, { before: 0, names: 1 }],
  // MD, MF, MB, MG, MR
  [3, ONE_NAME],
  [4, ONE_NAME],
  [7, ONE_NAME],
  [8, ONE_NAME],
  [9, ONE_NAME],
  // MINFO, RP, AFSDB, RT, SIG, PX, NXT, KX
  [14, TWO_NAMES],
  [17, TWO_NAMES],
  [18, NUMBER_AND_NAME],
  [21, NUMBER_AND_NAME],
  [24, { before: 18, names: 1 }],
  [26, { before: 2, names: 2, behind: 0 }],
  [30, { before: 0, names: 1 }],
  [36, NUMBER_AND_NAME],
]);

/** The data between `start` and `end` of a record of `type`, with every name in it whole. Throws WireError. */
export function expandData(bytes: Uint8Array, type: number, start: number, end: number, ends?: NameEnds): string {
  const layout = LAYOUTS.get(type);
  if (!layout) return latin1(bytes, start, end);
  let at = start + layout.before;
  for (let left = layout.strings ?? 0; left > 0; left--) at += 1 + (bytes[at] ?? 0);
  let data = latin1(bytes, start, Math.min(at, end));
  for (let left = layout.names; left > 0; left--) {
    if (at >= end) throw new WireError('record data end before a name in them');
    const name = expandName(bytes, at, ends);
    data += name.name;
    at = name.end;
  }
  const behind = end - at;
  if (behind < 0 || (layout.behind !== undefined && behind !== layout.behind)) {
    throw new WireError('record data of the wrong length for their type');
  }
  return data + latin1(bytes, at, end);
}
