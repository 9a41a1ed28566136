import { netmask } from '../addr/cidr.ts';
import { formatIp4, UNSPECIFIED, type Ip4 } from '../addr/ip4.ts';
import type { BootOffer } from '../boot/boot-offer.ts';
import type { DhcpOption } from '../wire/dhcp/dhcp-options.ts';
import { MessageType } from '../wire/dhcp/message-type.ts';
import { OptionCode } from '../wire/dhcp/option-code.ts';
import { encodeU8 } from '../wire/dhcp/options/integer.ts';
import { encodeIp4, encodeIp4List } from '../wire/dhcp/options/ip4.ts';
import { encodeSeconds } from '../wire/dhcp/options/seconds.ts';
import { encodeTerminatedText, encodeText } from '../wire/dhcp/options/text.ts';
import { BOOTREPLY, BROADCAST_FLAG, type DhcpMessage } from '../wire/dhcp/packet.ts';
import { echoedOptions } from './echo-options.ts';
import type { Exchange } from './exchange.ts';
import { nameAnswer } from './name-answer.ts';
import type { OptionSet } from './option-layers.ts';
import { requestState } from './request.ts';

/** Characters that the field takes. */
export const LONGEST_FILE = 127;

/** A reply before it is written. */
export interface DhcpReply extends DhcpMessage {
  /** Option 53, which is also among the options. */
  readonly type: MessageType;
  readonly options: readonly DhcpOption[];
  /** The relay's port, where it is not 67. */
  readonly relayPort?: number;
  /** What it answers, where that is not a step towards a lease. */
  readonly answers?: 'inform' | 'bootp' | 'rapid-commit' | 'proxy';
  /** Where it goes whatever its fields say: to a client of the boot server. */
  readonly sender?: { readonly address: Ip4; readonly port: number };
}

/** What an OFFER or ACK gives. */
export interface Grant {
  readonly type: typeof MessageType.offer | typeof MessageType.ack;
  readonly address: Ip4;
  readonly name: string | undefined;
  readonly boot: BootOffer;
}

/** OFFER or ACK (RFC 2131 table 3): what was asked for plus what must be there. */
export function grantReply(exchange: Exchange, grant: Grant): DhcpReply {
  const renews = grant.type === MessageType.ack && requestState(exchange) === 'renewing';
  const file = grant.boot.bootFile ?? '';
  return {
    ...echo(exchange),
    type: grant.type,
    // In other states ciaddr MUST be 0 (RFC 2131 table 5); some ROMs fill it in, and have no such address yet
    ciaddr: renews ? grant.address : UNSPECIFIED,
    yiaddr: grant.address,
    siaddr: grant.boot.nextServer ?? UNSPECIFIED,
    // Both the field and option 67: old ROMs and U-Boot read only the field (peers.md §3.1/2)
    file: file.length <= LONGEST_FILE ? file : '',
    options: [...grantOptions(exchange, grant), ...nameAnswer(exchange, grant.name), ...echoedOptions(exchange.packet)],
  };
}

/** NAK: no address, no boot server, no lease options; a relay must broadcast it (RFC 2131 §4.3.2). */
export function nakReply(exchange: Exchange, reason: string): DhcpReply {
  const message = echo(exchange);
  return {
    ...message,
    type: MessageType.nak,
    flags: message.giaddr === UNSPECIFIED ? message.flags : message.flags | BROADCAST_FLAG,
    ciaddr: UNSPECIFIED,
    yiaddr: UNSPECIFIED,
    siaddr: UNSPECIFIED,
    file: '',
    options: [
      { code: OptionCode.messageType, value: encodeU8(MessageType.nak) },
      { code: OptionCode.serverId, value: encodeIp4(exchange.serverId) },
      { code: OptionCode.message, value: encodeText(reason) },
      ...echoedOptions(exchange.packet),
    ],
  };
}

/** The fields that every reply has from its request. */
export function echo({
  packet,
  relayPort,
}: Exchange): Pick<
  DhcpReply,
  'relayPort' | 'op' | 'htype' | 'hlen' | 'hops' | 'xid' | 'secs' | 'flags' | 'giaddr' | 'chaddr' | 'sname'
> {
  const { htype, hlen, xid, flags, giaddr } = packet;
  // The datagram's buffer is used again before the reply is written
  const chaddr = packet.chaddr.slice();
  return {
    op: BOOTREPLY,
    htype,
    hlen,
    hops: 0,
    xid,
    secs: 0,
    flags,
    giaddr,
    chaddr,
    sname: '',
    ...(relayPort && { relayPort }),
  };
}

function grantOptions(exchange: Exchange, grant: Grant): DhcpOption[] {
  const { client, packet, served, addresses, optionLayers } = exchange;
  const { subnet } = served;
  const written = optionLayers.of(client, packet, subnet, addresses.host(client));
  const decided: DhcpOption[] = [
    { code: OptionCode.messageType, value: encodeU8(grant.type) },
    { code: OptionCode.serverId, value: encodeIp4(exchange.serverId) },
    { code: OptionCode.leaseTime, value: encodeSeconds(subnet.leaseSeconds) },
    ...bootOptions(grant.boot),
    // RFC 2132 §3.3: the mask before the router
    { code: OptionCode.subnetMask, value: encodeIp4(netmask(subnet.cidr.prefix)) },
  ];
  const isWanted = ({ code }: DhcpOption): boolean =>
    written.always.has(code) || (client.parameters?.has(code) ?? true);
  const fromSettings = settingOptions(exchange, grant).map((option) => written.options.get(option.code) ?? option);
  const given = new Set([...decided, ...fromSettings].map(({ code }) => code));
  return [
    ...decided,
    ...fromSettings.filter(isWanted),
    ...dearestFirst(written, client.parameters).filter((option) => !given.has(option.code) && isWanted(option)),
  ];
}

/** What the keys of the subnet, and the name, come to; a class or a host may have written another value. */
function settingOptions({ served: { subnet } }: Exchange, { name }: Grant): DhcpOption[] {
  const options: (DhcpOption | undefined)[] = [
    subnet.router === undefined ? undefined : { code: OptionCode.router, value: encodeIp4(subnet.router) },
    subnet.dns.length === 0 ? undefined : { code: OptionCode.dns, value: encodeIp4List(subnet.dns) },
    name === undefined ? undefined : { code: OptionCode.hostName, value: encodeText(name) },
    subnet.domain === undefined ? undefined : { code: OptionCode.domainName, value: encodeText(subnet.domain) },
    { code: OptionCode.broadcast, value: encodeIp4(subnet.broadcast) },
    // RFC 2131 §4.4.5: half and seven eighths
    { code: OptionCode.renewalTime, value: encodeSeconds(Math.floor(subnet.leaseSeconds / 2)) },
    { code: OptionCode.rebindingTime, value: encodeSeconds(Math.floor((subnet.leaseSeconds * 7) / 8)) },
  ];
  return options.filter((option) => option !== undefined);
}

/** First what goes out unasked, then in the order of the client's wishes (RFC 2132 §9.8): the last ones are cut off first. */
function dearestFirst({ options, always }: OptionSet, parameters: ReadonlySet<number> | undefined): DhcpOption[] {
  if (options.size === 0) return [];
  const codes = new Set([...always, ...(parameters ?? []), ...options.keys()]);
  return Array.from(codes, (code) => options.get(code)).filter((option) => option !== undefined);
}

/** Sent asked or not; 67 ends in NUL and is followed by others: UEFI reads on into what comes next (peers.md §3.1/1). */
function bootOptions({ bootFile, nextServer }: BootOffer): DhcpOption[] {
  if (bootFile === undefined || nextServer === undefined) return [];
  return [
    { code: OptionCode.tftpServerName, value: encodeText(formatIp4(nextServer)) },
    { code: OptionCode.bootFileName, value: encodeTerminatedText(bootFile) },
  ];
}
