import { TYPE } from '../record-type.ts';
import { ip4, ip6 } from './address.ts';
import { longString, string, strings } from './character-string.ts';
import { name, plainName } from './domain-name.ts';
import { base64, hardwareAddress, hashedOwner, hex, salt } from './encoded-octets.ts';
import type { Field } from './field.ts';
import { location } from './location.ts';
import { namedNumber, number } from './number.ts';
import { period } from './period.ts';
import { propertyTag } from './property-tag.ts';
import { serviceParams } from './service-params.ts';
import { timestamp } from './timestamp.ts';
import { recordType, typeBitmap } from './type-bitmap.ts';

/** How the data of a type are put together. */
export interface RdataLayout {
  readonly fields: readonly Field[];
  /** What is wrong with data whose fields are each right, as a clause; undefined when nothing is. */
  readonly fault?: (data: string) => string | undefined;
  /** Octets before the name whose addresses an answer brings along. */
  readonly targetAt?: number;
}

/** DNSSEC algorithms (IANA), as BIND and Knot write them. */
const ALGORITHM = namedNumber(1, 'an algorithm', {
  RSAMD5: 1,
  DH: 2,
  DSA: 3,
  RSASHA1: 5,
  NSEC3DSA: 6,
  NSEC3RSASHA1: 7,
  RSASHA256: 8,
  RSASHA512: 10,
  ECCGOST: 12,
  ECDSAP256SHA256: 13,
  ECDSAP384SHA384: 14,
  ED25519: 15,
  ED448: 16,
  INDIRECT: 252,
  PRIVATEDNS: 253,
  PRIVATEOID: 254,
});
/** RFC 4398 §2.1 */
const CERTIFICATE_TYPE = namedNumber(2, 'a type of certificate', {
  PKIX: 1,
  SPKI: 2,
  PGP: 3,
  IPKIX: 4,
  ISPKI: 5,
  IPGP: 6,
  ACPKIX: 7,
  IACPKIX: 8,
  URI: 253,
  OID: 254,
});

const ONE_NAME: RdataLayout = { fields: [name('the target')], targetAt: 0 };
const NUMBER_AND_NAME: RdataLayout = { fields: [number(2, 'the preference'), name('the target')], targetAt: 2 };
const TEXTS: RdataLayout = { fields: [strings] };
const DIGEST: RdataLayout = {
  fields: [number(2, 'the key tag'), ALGORITHM, number(1, 'the digest type'), hex('the digest')],
  // RFC 3658 §2.4, RFC 4509 §2.1, RFC 6605 §2
  fault: digestFault({ typeAt: 3, lengths: { 1: 20, 2: 32, 4: 48 } }),
};
const PUBLIC_KEY: RdataLayout = {
  fields: [number(2, 'the flags'), number(1, 'the protocol'), ALGORITHM, base64('the key')],
};
const ASSOCIATION: RdataLayout = {
  fields: [
    number(1, 'the usage'),
    number(1, 'the selector'),
    number(1, 'the matching type'),
    hex('the certificate or its digest'),
  ],
};
const SERVICE: RdataLayout = {
  fields: [number(2, 'the priority'), plainName('the target'), serviceParams],
  targetAt: 2,
};

export const RDATA_TABLE: ReadonlyMap<number, RdataLayout> = new Map<number, RdataLayout>([
  [TYPE.A, { fields: [ip4] }],
  [TYPE.NS, ONE_NAME],
  [TYPE.CNAME, { fields: [name('the target')] }],
  [
    TYPE.SOA,
    {
      fields: [
        name('the primary server'),
        name('the mailbox'),
        number(4, 'the serial'),
        period('the refresh time'),
        period('the retry time'),
        period('the expiry time'),
        period('the minimum'),
      ],
    },
  ],
  [TYPE.PTR, { fields: [name('the target')] }],
  [TYPE.HINFO, { fields: [string('the processor'), string('the operating system')] }],
  [TYPE.MINFO, { fields: [name('the mailbox'), name('the mailbox for errors')] }],
  [TYPE.MX, NUMBER_AND_NAME],
  [TYPE.TXT, TEXTS],
  [TYPE.RP, { fields: [name('the mailbox'), name('the name of a TXT')] }],
  [TYPE.AFSDB, NUMBER_AND_NAME],
  [TYPE.RT, NUMBER_AND_NAME],
  [TYPE.AAAA, { fields: [ip6] }],
  [TYPE.LOC, { fields: [location] }],
  [
    TYPE.SRV,
    {
      fields: [number(2, 'the priority'), number(2, 'the weight'), number(2, 'the port'), name('the target')],
      targetAt: 6,
    },
  ],
  [
    TYPE.NAPTR,
    {
      fields: [
        number(2, 'the order'),
        number(2, 'the preference'),
        string('the flags'),
        string('the services'),
        string('the expression'),
        name('the replacement'),
      ],
    },
  ],
  [TYPE.KX, NUMBER_AND_NAME],
  [TYPE.CERT, { fields: [CERTIFICATE_TYPE, number(2, 'the key tag'), ALGORITHM, base64('the certificate')] }],
  [TYPE.DNAME, { fields: [name('the target')] }],
  [TYPE.DS, DIGEST],
  [
    TYPE.SSHFP,
    {
      fields: [number(1, 'the algorithm'), number(1, 'the fingerprint type'), hex('the fingerprint')],
      // RFC 4255 §3.1.2, RFC 6594 §4
      fault: digestFault({ typeAt: 1, lengths: { 1: 20, 2: 32 } }),
    },
  ],
  [
    TYPE.RRSIG,
    {
      fields: [
        recordType,
        ALGORITHM,
        number(1, 'the labels'),
        period('the original TTL'),
        timestamp('the expiration'),
        timestamp('the inception'),
        number(2, 'the key tag'),
        plainName("the signer's name"),
        base64('the signature'),
      ],
    },
  ],
  [TYPE.NSEC, { fields: [plainName('the next name'), typeBitmap] }],
  [TYPE.DNSKEY, PUBLIC_KEY],
  [TYPE.DHCID, { fields: [base64('the identifier')] }],
  [
    TYPE.NSEC3,
    {
      fields: [
        number(1, 'the hash algorithm'),
        number(1, 'the flags'),
        number(2, 'the iterations'),
        salt,
        hashedOwner,
        typeBitmap,
      ],
    },
  ],
  [
    TYPE.NSEC3PARAM,
    { fields: [number(1, 'the hash algorithm'), number(1, 'the flags'), number(2, 'the iterations'), salt] },
  ],
  [TYPE.TLSA, ASSOCIATION],
  [TYPE.SMIMEA, ASSOCIATION],
  // RFC 8078 §4: a digest of type 0 asks for the removal
  [TYPE.CDS, DIGEST],
  [TYPE.CDNSKEY, PUBLIC_KEY],
  [TYPE.OPENPGPKEY, { fields: [base64('the key')] }],
  [TYPE.CSYNC, { fields: [number(4, 'the serial'), number(2, 'the flags'), typeBitmap] }],
  [
    TYPE.ZONEMD,
    {
      fields: [number(4, 'the serial'), number(1, 'the scheme'), number(1, 'the hash algorithm'), hex('the digest')],
      // RFC 8976 §2.2.4, §5.3
      fault: (data) => (data.length < 6 + 12 ? 'a digest of less than 12 octets' : digestLengths(data)),
    },
  ],
  [TYPE.SVCB, SERVICE],
  [TYPE.HTTPS, SERVICE],
  [TYPE.SPF, TEXTS],
  [TYPE.EUI48, { fields: [hardwareAddress(6)] }],
  [TYPE.EUI64, { fields: [hardwareAddress(8)] }],
  [TYPE.URI, { fields: [number(2, 'the priority'), number(2, 'the weight'), longString('the target', 1)] }],
  [TYPE.CAA, { fields: [number(1, 'the flags'), propertyTag, longString('the value', 0)] }],
]);

const digestLengths = digestFault({ typeAt: 5, lengths: { 1: 48, 2: 64 } });

/** A digest of a known type has a known length; it stands behind the octet of its type. */
function digestFault({ typeAt, lengths }: { typeAt: number; lengths: Readonly<Record<number, number>> }) {
  return (data: string): string | undefined => {
    const type = data.charCodeAt(typeAt);
    const wanted = lengths[type];
    const length = data.length - typeAt - 1;
    if (wanted === undefined || length === wanted) return undefined;
    return `a digest of ${length} octets, of type ${type} it has ${wanted}`;
  };
}
