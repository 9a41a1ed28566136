import { formatMac } from '../addr/mac.ts';
import type { ClassMatch } from '../plan/plan.ts';
import { OptionCode } from '../wire/dhcp/option-code.ts';
import { decodeU16List } from '../wire/dhcp/options/integer.ts';
import { decodeRelayAgent } from '../wire/dhcp/options/relay-agent.ts';
import { decodeUserClasses } from '../wire/dhcp/options/user-class.ts';
import type { DhcpPacket } from '../wire/dhcp/packet.ts';
import type { Client } from './client.ts';

type Sent = Pick<DhcpPacket, 'options'>;

/** Whether a client is of a class: each key that is there must match, by one of its values. */
export function isOfClass(match: ClassMatch, { mac }: Pick<Client, 'mac'>, packet: Sent): boolean {
  const { vendorClasses, userClasses, archs, macPrefixes, circuitIds, remoteIds } = match;
  if (macPrefixes && !startsWithOne(formatMac(mac, ''), macPrefixes)) return false;
  if (vendorClasses && !startsWithOne(vendorClassOf(packet), vendorClasses)) return false;
  if (archs && !hasOne(decodeU16List(packet.options.get(OptionCode.clientArch)), archs)) return false;
  if (userClasses && !hasOne(decodeUserClasses(packet.options.get(OptionCode.userClass)), userClasses)) return false;
  if (circuitIds && !hasOne(signOf(packet, 'circuitId'), circuitIds)) return false;
  return !remoteIds || hasOne(signOf(packet, 'remoteId'), remoteIds);
}

/** One character a byte: some vendors put bytes that are no text behind the text. */
function vendorClassOf({ options }: Sent): string {
  return Buffer.from(options.get(OptionCode.vendorClass) ?? []).toString('latin1');
}

/** RFC 3046 §3.1 and §3.2, as hex digits. */
function signOf({ options }: Sent, sign: 'circuitId' | 'remoteId'): readonly string[] {
  const bytes = decodeRelayAgent(options.get(OptionCode.relayAgent))?.[sign];
  return bytes ? [Buffer.from(bytes).toString('hex')] : [];
}

function startsWithOne(text: string, beginnings: readonly string[]): boolean {
  return beginnings.some((beginning) => text.startsWith(beginning));
}

function hasOne<T>(said: readonly T[] | undefined, wanted: readonly T[]): boolean {
  return said?.some((value) => wanted.includes(value)) ?? false;
}
