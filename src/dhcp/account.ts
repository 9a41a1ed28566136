import { formatCidr } from '../addr/cidr.ts';
import { formatIp4, UNSPECIFIED, type Ip4 } from '../addr/ip4.ts';
import { formatMac, type Mac } from '../addr/mac.ts';
import { formatRange, rangeContains } from '../addr/range.ts';
import { createBootIndex } from '../boot/boot-plan.ts';
import type { BootOffer } from '../boot/boot-offer.ts';
import type { BootStates } from '../boot/boot-states.ts';
import { isNetbootClient } from '../boot/firmware.ts';
import { filesFor } from '../boot/entry-files.ts';
import { languageOf, scriptPath, type LoaderLanguage } from '../boot/loader-language.ts';
import { readerOf } from '../boot/script-readers.ts';
import type { QuirkNote } from '../boot/quirks-of.ts';
import { rackUrl } from '../boot/rack-url.ts';
import { createRoutes, type Resolution } from '../boot/routes.ts';
import { optionName } from '../plan/option-table.ts';
import { BOOT_LOCAL, type BootFiles, type Plan, type Subnet } from '../plan/plan.ts';
import type { SocketHandle } from '../service/letters.ts';
import type { Clock } from '../system/clock.ts';
import { messageTypeName } from '../wire/dhcp/message-type.ts';
import { BROADCAST_FLAG, decodeDhcp } from '../wire/dhcp/packet.ts';
import type { ChosenBy } from './addresses.ts';
import { isOfClass } from './client-class.ts';
import type { Asked } from './asked.ts';
import type { Exchange } from './exchange.ts';
import { readRelay, type Heard } from './intake.ts';
import { isHostBySign } from './lease-fact.ts';
import { originOf } from './option-origin.ts';
import { optionText } from './option-text.ts';
import { bootOfferFor } from './outcome.ts';
import { quirkNotes } from './quirk-notes.ts';
import { rehearse, type KnownLeases, type Rehearsal, type Rehearsed, type SentReply } from './rehearse.ts';
import type { DhcpReply } from './reply.ts';
import { chooseLink, type LinkSign } from './subnet-choice.ts';

/** What a machine would be answered, and by which rules, in words; addresses and MACs as text. */
export interface Account {
  /** Whether it would get an address, with INFORM the options it asks for, or on a proxy subnet what to boot. */
  readonly gets: boolean;
  readonly asked?: Asked;
  /** "OFFER of 192.168.127.121", or why there is none. */
  readonly answer: string;
  readonly subnet?: { readonly cidr: string; readonly why: string };
  readonly machine?: { readonly host?: string; readonly lease: string; readonly why: string };
  readonly classes?: readonly string[];
  readonly address?: { readonly address: string; readonly why: string };
  readonly name?: { readonly name?: string; readonly why: string };
  /** What DNS then answers, forward and back. */
  readonly dns?: { readonly name: string; readonly reverse: string };
  readonly boot?: { readonly file?: string; readonly server?: string; readonly why: string };
  /** What its firmware is known for, and what is done about it. */
  readonly quirks?: readonly QuirkNote[];
  readonly bootPlan?: { readonly target: string; readonly why: string };
  readonly script?: { readonly url: string; readonly text: string };
  /** What it would ask for by TFTP or HTTP, in that order. */
  readonly files?: readonly FileAccount[];
  readonly reply?: ReplyAccount;
}

/** What a path stands for, to TFTP and HTTP alike; whether the file is there is for others to say. */
export interface FileAccount {
  readonly path: string;
  readonly as: 'loader' | 'script' | 'kernel' | 'initrd' | 'dtb' | 'asked';
  readonly is: Resolution;
  /** Of what not every loader takes. */
  readonly note?: string;
}

export interface ReplyAccount {
  readonly to: string;
  readonly port: number;
  readonly why: string;
  readonly options: readonly OptionAccount[];
  /** Names of options for which there is no room. */
  readonly leftOut: readonly string[];
  /** The whole message, as hex. */
  readonly bytes: string;
}

interface OptionAccount {
  readonly code: number;
  readonly name: string;
  readonly value: string;
  readonly from: string;
}

const CHOSEN: Readonly<Record<ChosenBy, string>> = {
  fixed: 'written down for its host',
  lease: 'it holds this address, or held it last',
  offer: 'it was offered it a moment ago',
  wish: 'it asks for it, and it is free',
  free: 'a free one, by then perhaps another: it has none, and asks for none that it may have',
};

/** Not every loader can hand over a device tree; one that can't boots without. */
const TREE_NOTES: Readonly<Record<LoaderLanguage, string>> = {
  ipxe: 'only an iPXE with the command fdt takes it, which builds before March 2025 have not',
  grub: 'taken by GRUB on ARM, except under Secure Boot',
  pxelinux: 'not named: PXELINUX takes none',
  lpxelinux: 'not named: PXELINUX takes none',
};

const HOST_SIGNS = { mac: 'its MAC', 'client-id': 'its client identifier', 'circuit-id': 'the port it is on' } as const;

/** What is remembered of machines. */
interface Known extends KnownLeases {
  readonly boots?: BootStates;
}

/** Tells what the service would make of a message; it is the service's own code that decides. Changes nothing. */
export function accountOf(
  plan: Plan,
  known: Known,
  heard: Heard,
  clock: Clock,
  fetches: readonly string[] = [],
): Account {
  const rehearsal = rehearse(plan, known, heard, clock);
  if (rehearsal.kind === 'unheard') {
    return { gets: false, answer: describeRehearsal(rehearsal) };
  }
  const { asked, on, decision, reply, sent } = rehearsal;
  const address = addressOf(decision);
  return {
    gets: address !== undefined || decision.kind === 'proxied',
    asked,
    answer: answerOf(decision, reply),
    subnet: { cidr: formatCidr(on.served.subnet.cidr), why: whySubnet(rehearsal, heard) },
    machine: machineOf(on),
    classes: (plan.classes ?? []).filter(({ match }) => isOfClass(match, on.client, on.packet)).map(({ name }) => name),
    ...(address !== undefined && { address: { address: formatIp4(address), why: whyAddress(on, decision, address) } }),
    name: nameOf(on),
    ...dnsOf(on, address),
    ...bootingOf({ plan, boots: known.boots, fetches }, on, decision, reply),
    ...(reply && sent && { reply: replyOf(plan, on, reply, sent) }),
  };
}

function addressOf(decision: Rehearsed): Ip4 | undefined {
  if (decision.kind === 'ack') return decision.lease.address;
  return decision.kind === 'offer' || decision.kind === 'informed' ? decision.address : undefined;
}

function answerOf(decision: Rehearsed, reply: DhcpReply | undefined): string {
  switch (decision.kind) {
    case 'offer':
    case 'ack':
    case 'informed': {
      const type = reply?.answers === 'bootp' ? 'BOOTP reply' : messageTypeName(reply?.type ?? 0);
      return `${type} of ${decision.kind === 'informed' ? 'options' : formatIp4(addressOf(decision) ?? UNSPECIFIED)}`;
    }
    case 'proxied':
      return `${messageTypeName(reply?.type ?? 0)} of what to boot; the address is another server's to give`;
    case 'nak':
      return `NAK: ${decision.reason}`;
    case 'silence':
    case 'exhausted':
      return `nothing: ${decision.reason}`;
    case 'released':
    case 'declined':
      return `nothing: ${formatIp4(decision.address)} is taken back without a reply`;
  }
}

/** What it comes to, in short. */
export function describeRehearsal(rehearsal: Rehearsal): string {
  if (rehearsal.kind === 'heard') return answerOf(rehearsal.decision, rehearsal.reply);
  return `nothing: ${rehearsal.reason ?? 'only relays are listened for here, and no relay sent it'}`;
}

/** Asks the choice of the link itself what it went by. */
function whySubnet({ first, on }: Extract<Rehearsal, { kind: 'heard' }>, { datagram, handle }: Heard): string {
  const { packet, addresses } = first;
  let by: LinkSign = 'interface';
  const link = chooseLink(
    addresses.served,
    packet,
    readRelay(packet),
    handle,
    datagram.destination,
    (sign) => (by = sign),
  );
  const why = describeSign(by, on, handle);
  if (link.length < 2) return why;
  return `${why}; on its link are ${link.map(({ subnet }) => formatCidr(subnet.cidr)).join(' and ')}, tried in the order ${first.link
    .map(({ subnet }) => formatCidr(subnet.cidr))
    .join(', ')}`;
}

function describeSign(sign: LinkSign, { packet }: Exchange, handle: SocketHandle): string {
  switch (sign) {
    case 'link-selection':
      return `its relay ${formatIp4(packet.giaddr)} selects it (option 82.5, RFC 3527)`;
    case 'subnet-selection':
      return 'it selects it itself (option 118, RFC 3011)';
    case 'relay':
      return `its relay ${formatIp4(packet.giaddr)} is in it (giaddr)`;
    case 'own-address':
      return `it writes to the rack alone, from ${formatIp4(packet.ciaddr)} in it`;
    case 'interface':
      return `it is on ${handle.interface ?? 'the interface'}, where this was heard`;
  }
}

function machineOf({ client, addresses }: Exchange): NonNullable<Account['machine']> {
  const host = addresses.host(client);
  const sign = addresses.hostSign(client);
  const { key } = client;
  const lease = typeof key === 'number' ? formatMac(key) : key.replace('id ', 'client identifier ');
  const why = host && sign ? `host ${host.name}, known by ${HOST_SIGNS[sign]}` : 'no host of the file';
  return { ...(host && { host: host.name }), lease, why };
}

function whyAddress(exchange: Exchange, decision: Rehearsed, address: Ip4): string {
  if (decision.kind === 'informed') return 'it says that it has it, and it is on this network';
  const by = decision.kind === 'offer' || decision.kind === 'ack' ? decision.by : undefined;
  const why = by === undefined ? 'it asks for it, and by our record and ranges it may have it' : CHOSEN[by];
  return `${why} (${rangeOf(exchange.served.subnet, address)})`;
}

function rangeOf(subnet: Subnet, address: Ip4): string {
  for (const key of ['dynamic', 'static'] as const) {
    const range = subnet[key];
    if (range && rangeContains(range, address)) return `${key} range ${formatRange(range)}`;
  }
  const pool = subnet.pools?.find(({ range }) => rangeContains(range, address));
  return pool ? `pool ${formatRange(pool.range)} of class ${pool.class}` : 'in no range';
}

function nameOf({ client, addresses, served }: Exchange): NonNullable<Account['name']> {
  const name = addresses.nameFor(client, served);
  if (name !== undefined) return { name, why: addresses.host(client) ? "the host's own" : 'it calls itself so' };
  const holder = addresses.nameHolder(client, served);
  if (holder === 'a host') return { why: `it calls itself ${client.name}, which is the name of a host` };
  if (holder === 'dns') return { why: `it calls itself ${client.name}, which is in dns.names here, or a domain` };
  return { why: 'it tells none that it wants or that can be one' };
}

/** Where the subnet has names, the lease has one in its domain. */
function dnsOf({ client, addresses, served }: Exchange, address: Ip4 | undefined): Pick<Account, 'dns'> {
  const name = addresses.nameFor(client, served);
  const { subnet } = served;
  if (subnet.management !== 'dhcp+dns' || subnet.domain === undefined) return {};
  if (name === undefined || address === undefined) return {};
  const reverse = `${formatIp4(address).split('.').toReversed().join('.')}.in-addr.arpa`;
  return { dns: { name: `${name}.${subnet.domain}`, reverse } };
}

/** What DHCP tells it to fetch, and what its loader is then told. */
function bootingOf(
  {
    plan,
    boots,
    fetches,
  }: { readonly plan: Plan; readonly boots: BootStates | undefined; readonly fetches: readonly string[] },
  on: Exchange,
  decision: Rehearsed,
  reply: DhcpReply | undefined,
): Pick<Account, 'boot' | 'quirks' | 'bootPlan' | 'script' | 'files'> {
  const { client, addresses, rackAddress } = on;
  const address = addressOf(decision);
  const host = isHostBySign(on) ? addresses.host(client)?.name : undefined;
  const { target, why } = createBootIndex(plan, boots).find(client.mac, host);
  const bootPlan = { target: target === BOOT_LOCAL ? BOOT_LOCAL : target.name, why };
  if (address === undefined && decision.kind !== 'proxied') return { bootPlan };
  const offer = bootOfferFor(plan, on);
  const path = `/${offer.script ?? scriptPath('', client.mac)}`;
  const asker = { rackAddress, ...(address !== undefined && { address }), ...(host !== undefined && { host }) };
  const routes = createRoutes(plan, boots);
  const script = routes.resolve(path, asker);
  const entry = target === BOOT_LOCAL ? undefined : filesFor(target, offer.runs);
  const wanted: readonly (readonly [FileAccount['as'], string])[] = [
    ...(offer.bootFile === undefined ? [] : [['loader', pathOf(offer.bootFile)] as const]),
    ['script', path],
    ...(entry ? [['kernel', entry.kernel.path] as const] : []),
    ...(entry?.initrd.map((each) => ['initrd', each.path] as const) ?? []),
    ...(entry?.dtb ? [['dtb', entry.dtb.path] as const] : []),
    ...fetches.map((each) => ['asked', each] as const),
  ];
  const isNetboot = isNetbootClient(client.boot);
  const files = wanted.filter(([as]) => isNetboot || as === 'asked');
  return {
    boot: {
      ...(offer.bootFile !== undefined && { file: offer.bootFile }),
      ...(offer.nextServer !== undefined && { server: formatIp4(offer.nextServer) }),
      why: offer.why,
    },
    quirks: quirkNotes(on, reply),
    bootPlan,
    files: files.map(([as, each]) => ({
      path: each,
      as,
      is: routes.resolve(each, asker),
      ...noteOf(as, each, offer, entry),
    })),
    ...(script.kind === 'text' && { script: { url: `${rackUrl(plan, rackAddress)}${path}`, text: script.text } }),
  };
}

/** What becomes of a file that this client's loader may not take. */
function noteOf(
  as: FileAccount['as'],
  path: string,
  { bootFile = '', script = '' }: BootOffer,
  entry: BootFiles | undefined,
): Pick<FileAccount, 'note'> {
  const reader = readerOf(script)?.reader;
  if (as === 'dtb') return { note: reader ? 'its firmware takes it' : TREE_NOTES[languageOf(bootFile)] };
  const isOneTooMany = as === 'initrd' && reader && path !== entry?.initrd[0]?.path;
  return isOneTooMany ? { note: 'not named: its firmware takes one initrd' } : {};
}

/** A boot file may be told as a URL. */
function pathOf(bootFile: string): string {
  return bootFile.replace(/^[a-z]+:\/\/[^/]*\//, '');
}

function replyOf(plan: Plan, on: Exchange, reply: DhcpReply, { bytes, way }: SentReply): ReplyAccount {
  const { options } = decodeDhcp(bytes);
  const boot = bootOfferFor(plan, on);
  return {
    to: way.kind === 'link' ? `${formatIp4(way.address)} at ${formatMac(way.mac as Mac)}` : formatIp4(way.address),
    port: way.port,
    why: whyThisWay(reply, way.kind, on),
    options: Array.from(options, (option) => ({
      code: option.code,
      name: optionName(option.code),
      value: optionText(option),
      from: originOf(option, plan, on, boot),
    })),
    leftOut: reply.options.filter(({ code }) => !options.has(code)).map(({ code }) => optionName(code)),
    bytes: Buffer.from(bytes).toString('hex'),
  };
}

/** In the words of `replyAddress`, which has decided. */
function whyThisWay(
  { answers, giaddr, relayPort, type, ciaddr }: DhcpReply,
  kind: SentReply['way']['kind'],
  { packet }: Exchange,
): string {
  if (kind === 'link') return 'unicast at layer 2: it has no address yet that would answer ARP';
  if (answers === 'inform') return 'to its own address, past any relay';
  if (answers === 'proxy' && giaddr === UNSPECIFIED)
    return ciaddr === UNSPECIFIED ? 'broadcast: it has no address yet' : 'to where it asked from';
  if (giaddr !== UNSPECIFIED)
    return relayPort === undefined ? 'to its relay' : 'to its relay, on the port it sent from (RFC 8357)';
  if (messageTypeName(type) === 'NAK') return 'broadcast, as a NAK is';
  if (ciaddr !== UNSPECIFIED) return 'to the address it has';
  const isAsked = (packet.flags & BROADCAST_FLAG) !== 0;
  return isAsked ? 'broadcast: it asks for that' : 'broadcast: the file wants so (quirk broadcast-reply)';
}
