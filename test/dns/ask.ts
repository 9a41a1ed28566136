import { decode, encode, type Answer, type OptAnswer, type RecordClass, type RecordType } from 'dns-packet';

/** What dns-packet's decoder returns beside what its types declare. */
interface Reply extends ReturnType<typeof decode> {
  readonly rcode: string;
}

interface Wishes {
  readonly id?: number;
  readonly class?: RecordClass;
  readonly recursion?: boolean;
  readonly edns?: { readonly size?: number; readonly version?: number; readonly dnssecOk?: boolean };
}

/** The message that asks "node1.rack.example A". */
export function question(line: string, wishes: Wishes = {}): Buffer {
  const [name = '', type = ''] = line.split(' ');
  const opt: Answer = {
    type: 'OPT',
    name: '.',
    udpPayloadSize: wishes.edns?.size ?? 4096,
    extendedRcode: 0,
    ednsVersion: wishes.edns?.version ?? 0,
    flags: wishes.edns?.dnssecOk ? 0x8000 : 0,
    flag_do: wishes.edns?.dnssecOk ?? false,
    options: [],
  };
  return encode({
    type: 'query',
    id: wishes.id ?? 4711,
    flags: wishes.recursion ? 0x0100 : 0,
    questions: [{ name, type: type as RecordType, class: wishes.class ?? 'IN' }],
    additionals: wishes.edns ? [opt] : [],
  });
}

/**
 * A reply in lines, as an independent decoder reads it: the response code with the flags that are set, then each
 * record behind the word of its section.
 */
export function describeReply(bytes: Uint8Array): string[] {
  const reply = decode(Buffer.from(bytes)) as Reply;
  const flags = [reply.flag_qr && 'qr', reply.flag_aa && 'aa', reply.flag_tc && 'tc', reply.flag_rd && 'rd'];
  const odd = [reply.flag_ra && 'ra', reply.flag_z && 'z', reply.flag_ad && 'ad', reply.flag_cd && 'cd'];
  return [
    [reply.rcode, ...flags, ...odd].filter((word) => word !== false).join(' '),
    ...(reply.questions ?? []).map(({ name, type }) => `question ${name} ${type}`),
    ...(reply.answers ?? []).map((record) => `answer ${describeRecord(record)}`),
    ...(reply.authorities ?? []).map((record) => `authority ${describeRecord(record)}`),
    ...(reply.additionals ?? []).map((record) => `additional ${describeRecord(record)}`),
  ];
}

function describeRecord(record: Answer): string {
  if (record.type === 'OPT') {
    const { udpPayloadSize, extendedRcode, ednsVersion, flag_do } = record;
    return `OPT size ${udpPayloadSize} rcode ${extendedRcode} version ${ednsVersion}${flag_do ? ' do' : ''}`;
  }
  return `${record.name} ${record.ttl} ${record.type} ${describeData(record)}`;
}

function describeData(record: Exclude<Answer, OptAnswer>): string {
  if (record.type === 'SOA') return `${record.data.mname} ${record.data.rname}`;
  return typeof record.data === 'string' ? record.data : '?';
}
