import { netmask } from '../addr/cidr.ts';
import type { Subnet } from '../plan/plan.ts';
import type { DhcpOption } from '../wire/dhcp/dhcp-options.ts';
import { OptionCode } from '../wire/dhcp/option-code.ts';
import { encodeIp4, encodeIp4List } from '../wire/dhcp/options/ip4.ts';
import { decodeParameterList } from '../wire/dhcp/options/parameter-list.ts';
import { encodeSeconds } from '../wire/dhcp/options/seconds.ts';
import { encodeText } from '../wire/dhcp/options/text.ts';
import type { OptionSet } from './option-set.ts';

/** What a grant says that does not depend on which client asks, only on what it asks for. */
export interface StandingOptions {
  readonly leaseTime: DhcpOption;
  /** The mask first (RFC 2132 §3.3: before the router), then what is asked for or goes out unasked. */
  readonly others: readonly DhcpOption[];
  /** Whether the client is told its name: it wants to be, and no layer of the file says another. */
  readonly isNameWanted: boolean;
}

/** `list`: option 55; a client without one leaves the choice to us. */
export function standingOptions(subnet: Subnet, written: OptionSet, list: Uint8Array | undefined): StandingOptions {
  const parameters = decodeParameterList(list);
  const wanted = parameters && new Set(parameters);
  const isWanted = (code: number): boolean => written.always.has(code) || (wanted?.has(code) ?? true);
  const settings = settingsOf(subnet).map((option) => written.options.get(option.code) ?? option);
  const given = new Set([...DECIDED, ...settings.map(({ code }) => code)]);
  const more = dearestFirst(written, wanted).filter(({ code }) => !given.has(code));
  return {
    leaseTime: { code: OptionCode.leaseTime, value: encodeSeconds(subnet.leaseSeconds) },
    others: [
      { code: OptionCode.subnetMask, value: encodeIp4(netmask(subnet.cidr.prefix)) },
      ...[...settings, ...more].filter(({ code }) => isWanted(code)),
    ],
    isNameWanted: isWanted(OptionCode.hostName) && !written.options.has(OptionCode.hostName),
  };
}

/** What no layer of the file may say otherwise. */
const DECIDED = [OptionCode.messageType, OptionCode.serverId, OptionCode.leaseTime, OptionCode.subnetMask] as const;

/** What the keys of the subnet come to; a class or a host may have written another value. */
function settingsOf(subnet: Subnet): DhcpOption[] {
  const options: (DhcpOption | undefined)[] = [
    subnet.router === undefined ? undefined : { code: OptionCode.router, value: encodeIp4(subnet.router) },
    subnet.dns.length === 0 ? undefined : { code: OptionCode.dns, value: encodeIp4List(subnet.dns) },
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
