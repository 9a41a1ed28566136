/** Record types and question types by mnemonic (IANA "Resource Record (RR) TYPEs"). */
export const TYPE = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  HINFO: 13,
  MINFO: 14,
  MX: 15,
  TXT: 16,
  RP: 17,
  AFSDB: 18,
  RT: 21,
  AAAA: 28,
  LOC: 29,
  SRV: 33,
  NAPTR: 35,
  KX: 36,
  CERT: 37,
  DNAME: 39,
  OPT: 41,
  DS: 43,
  SSHFP: 44,
  RRSIG: 46,
  NSEC: 47,
  DNSKEY: 48,
  DHCID: 49,
  NSEC3: 50,
  NSEC3PARAM: 51,
  TLSA: 52,
  SMIMEA: 53,
  CDS: 59,
  CDNSKEY: 60,
  OPENPGPKEY: 61,
  CSYNC: 62,
  ZONEMD: 63,
  SVCB: 64,
  HTTPS: 65,
  SPF: 99,
  EUI48: 108,
  EUI64: 109,
  TSIG: 250,
  IXFR: 251,
  AXFR: 252,
  ANY: 255,
  URI: 256,
  CAA: 257,
} as const;

const NAMES: ReadonlyMap<number, string> = new Map(Object.entries(TYPE).map(([name, type]) => [type, name]));

/** "AAAA"; "TYPE1234" for one without a row in the table (RFC 3597 §5). */
export function typeName(type: number): string {
  return NAMES.get(type) ?? `TYPE${type}`;
}

const NUMBERS: ReadonlyMap<string, number> = new Map(Object.entries(TYPE));

/** The number of "AAAA", in any case, or of "TYPE1234" (RFC 3597 §5); undefined for what names no type. */
export function parseType(text: string): number | undefined {
  const word = text.toUpperCase();
  const known = NUMBERS.get(word);
  if (known !== undefined || !/^TYPE\d{1,5}$/.test(word)) return known;
  const number = Number(word.slice('TYPE'.length));
  return number <= 0xffff ? number : undefined;
}

/** Whether records of it can be in a zone: questions and what belongs to one message can't (RFC 6895 §3.1). */
export function isDataType(type: number): boolean {
  const isQuestion = type >= 128 && type <= 255;
  return type > 0 && type < 0xffff && type !== TYPE.OPT && !isQuestion;
}

/** Classes (RFC 1035 §3.2.4). */
export const CLASS_IN = 1;
export const CLASS_CH = 3;
/** In an update: neither, and any (RFC 2136 §2.4, §2.5). */
export const CLASS_NONE = 254;
export const CLASS_ANY = 255;
