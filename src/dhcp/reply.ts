import { UNSPECIFIED, type Ip4 } from '../addr/ip4.ts';
import type { BootOffer } from '../boot/boot-offer.ts';
import type { DhcpOption } from '../wire/dhcp/dhcp-options.ts';
import { MessageType } from '../wire/dhcp/message-type.ts';
import { OptionCode } from '../wire/dhcp/option-code.ts';
import { encodeU8 } from '../wire/dhcp/options/integer.ts';
import { encodeIp4 } from '../wire/dhcp/options/ip4.ts';
import { encodeText } from '../wire/dhcp/options/text.ts';
import { BOOTREPLY, BROADCAST_FLAG, type DhcpMessage } from '../wire/dhcp/packet.ts';
import { asFirmwareReads, bootOptions, headerFile } from './boot-fields.ts';
import { echoedOptions } from './echo-options.ts';
import type { Exchange } from './exchange.ts';
import { nameAnswer } from './name-answer.ts';
import { quirkOptions } from './quirk-options.ts';
import { requestState } from './request.ts';

const TYPES = {
  [MessageType.offer]: { code: OptionCode.messageType, value: encodeU8(MessageType.offer) },
  [MessageType.ack]: { code: OptionCode.messageType, value: encodeU8(MessageType.ack) },
} as const;

/** A reply before it is written. */
export interface DhcpReply extends DhcpMessage {
  /** Option 53, which is also among the options. */
  readonly type: typeof MessageType.offer | typeof MessageType.ack | typeof MessageType.nak;
  readonly options: readonly DhcpOption[];
  /** The relay's port, where it is not 67. */
  readonly relayPort?: number | undefined;
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
  const { effects } = grant.boot.quirks;
  const echoed = echo(exchange);
  return {
    ...echoed,
    flags: effects.broadcast ? echoed.flags | BROADCAST_FLAG : echoed.flags,
    type: grant.type,
    // In other states ciaddr MUST be 0 (RFC 2131 table 5); some ROMs fill it in, and have no such address yet
    ciaddr: renews ? grant.address : UNSPECIFIED,
    yiaddr: grant.address,
    siaddr: grant.boot.nextServer ?? UNSPECIFIED,
    file: headerFile(grant.boot),
    options: grantOptions(exchange, grant),
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
    relayPort,
  };
}

/** By pushes and not by spreads: this is made twice for each machine that boots. */
function grantOptions(exchange: Exchange, { type, name, boot }: Grant): DhcpOption[] {
  const { client, packet, served, addresses, optionLayers } = exchange;
  const host = addresses.host(client);
  const { leaseTime, others, isNameWanted } = optionLayers.standing(client, packet, served.subnet, host);
  const decided = [...bootOptions(boot), ...quirkOptions(boot, packet)];
  const options: DhcpOption[] = [
    TYPES[type],
    { code: OptionCode.serverId, value: encodeIp4(exchange.serverId) },
    leaseTime,
    ...decided,
  ];
  if (isNameWanted && name !== undefined) options.push({ code: OptionCode.hostName, value: encodeText(name) });
  for (const option of others) if (!decided.some(({ code }) => code === option.code)) options.push(option);
  if (client.fqdn) options.push(...nameAnswer(exchange, name));
  for (const option of echoedOptions(packet)) options.push(option);
  return asFirmwareReads(options, boot);
}
