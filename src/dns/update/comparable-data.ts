import { TYPE } from '../../wire/dns/record-type.ts';

/** Types whose data are names and numbers alone: names compare without regard to case (RFC 2136 §1.1.1, RFC 4343). */
const NAME_TYPES: ReadonlySet<number> = new Set([TYPE.NS, TYPE.CNAME, TYPE.PTR, TYPE.DNAME]);
/** Octets in front of the name that ends the data. */
const NUMBERS_BEFORE: ReadonlyMap<number, number> = new Map([
  [TYPE.MX, 2],
  [TYPE.SRV, 6],
]);

/** A text that is the same for data of one type that say the same. */
export function comparableData(type: number, data: string): string {
  const before = NAME_TYPES.has(type) ? 0 : NUMBERS_BEFORE.get(type);
  return before === undefined ? data : data.slice(0, before) + lowered(data.slice(before));
}

function lowered(name: string): string {
  return name.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
