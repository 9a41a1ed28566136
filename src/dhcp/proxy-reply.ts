import { UNSPECIFIED, type Ip4 } from '../addr/ip4.ts';
import type { BootOffer } from '../boot/boot-offer.ts';
import { archOf, isFullIpxe, type BootClient } from '../boot/firmware.ts';
import type { DhcpOption } from '../wire/dhcp/dhcp-options.ts';
import { MessageType } from '../wire/dhcp/message-type.ts';
import { OptionCode } from '../wire/dhcp/option-code.ts';
import { encodeU8 } from '../wire/dhcp/options/integer.ts';
import { encodeIp4 } from '../wire/dhcp/options/ip4.ts';
import { encodeText } from '../wire/dhcp/options/text.ts';
import { BROADCAST_FLAG } from '../wire/dhcp/packet.ts';
import { asFirmwareReads, bootOptions, headerFile } from './boot-fields.ts';
import { echoedOptions } from './echo-options.ts';
import type { Exchange } from './exchange.ts';
import { quirkOptions } from './quirk-options.ts';
import { echo, type DhcpReply } from './reply.ts';

/** IANA "Processor Architecture Types": x86 BIOS. */
const BIOS = 0;

/** What to boot, by what kind of message, and where the asker is, if it has an address. */
export interface ProxyGrant {
  readonly type: typeof MessageType.offer | typeof MessageType.ack;
  /** Names a boot server. */
  readonly boot: BootOffer;
  readonly sender?: { readonly address: Ip4; readonly port: number };
}

/**
 * Boot information and nothing else (PXE 2.1 §2.2): no address, no time, nothing a client could take for a lease. An
 * offer is broadcast, as its client has no address yet and is offered none here.
 */
export function proxyReply(exchange: Exchange, { type, boot, sender }: ProxyGrant): DhcpReply {
  const { packet, rackAddress } = exchange;
  const header = echo(exchange);
  const options = [...proxyOptions(exchange, type, boot), ...echoedOptions(packet)];
  const isOffer = type === MessageType.offer;
  return {
    ...header,
    type,
    answers: 'proxy',
    flags: isOffer || !sender ? header.flags | BROADCAST_FLAG : header.flags,
    ciaddr: isOffer ? UNSPECIFIED : packet.ciaddr,
    yiaddr: UNSPECIFIED,
    // Without it iPXE and EDK2 don't know whom to ask at 4011, nor whom for the file
    siaddr: boot.nextServer ?? rackAddress,
    file: headerFile(boot),
    options: asFirmwareReads(options, boot),
    ...(sender && { sender }),
  };
}

/** 67 ends in NUL and is followed by others, as in a lease's reply: UEFI reads on into what comes next (peers.md §3.1/1). */
function proxyOptions({ packet, client, rackAddress }: Exchange, type: MessageType, boot: BootOffer): DhcpOption[] {
  return [
    { code: OptionCode.messageType, value: encodeU8(type) },
    // Our own also where a relay stands in for its servers (RFC 5107): it relays no port 4011
    { code: OptionCode.serverId, value: encodeIp4(rackAddress) },
    ...bootOptions(boot),
    // A server says this too: by it firmware knows an offer to be a proxy's
    { code: OptionCode.vendorClass, value: encodeText(boot.quirks.effects.vendorClass ?? 'PXEClient') },
    ...quirkOptions(boot, packet).filter(({ code }) => isForProxy(code, client.boot, boot)),
  ];
}

/**
 * BIOS is told to take the file named here and to look no further: that is PXE by the book. Much UEFI firmware passes over
 * an offer that says so, and all of it takes one without option 43, which sends it to port 4011 of `siaddr` for the file
 * (Microsoft's BINL; pixiecore found so, dnsmasq does so, EDK2's PxeBcDhcp4.c reads so: peers.md §2.4, §3.1/3, 4). The offer
 * names the file all the same, for firmware that does not ask again. iPXE needs no more than siaddr and the file.
 * A Raspberry Pi, which is told no file, looks for its menu whatever architecture it names.
 */
function isForProxy(code: number, client: BootClient, { bootFile }: BootOffer): boolean {
  if (code !== OptionCode.vendorSpecific) return code === OptionCode.clientMachineId;
  return bootFile === undefined || (archOf(client) === BIOS && !isFullIpxe(client));
}
