import { formatCidr } from '../addr/cidr.ts';
import { formatIp4 } from '../addr/ip4.ts';
import { kindOf } from '../plan/option-table.ts';
import type { OptionKind } from '../plan/option-value.ts';
import type { DhcpOption } from '../wire/dhcp/dhcp-options.ts';
import { messageTypeName } from '../wire/dhcp/message-type.ts';
import { OptionCode } from '../wire/dhcp/option-code.ts';
import { decodeClasslessRoutes } from '../wire/dhcp/options/classless-routes.ts';
import { decodeDomainList } from '../wire/dhcp/options/domain-list.ts';
import { decodeU16, decodeU8 } from '../wire/dhcp/options/integer.ts';
import { decodeIp4List } from '../wire/dhcp/options/ip4.ts';
import { decodeSeconds } from '../wire/dhcp/options/seconds.ts';
import { decodeText } from '../wire/dhcp/options/text.ts';

/** Kinds of the options that the file can not set. */
const DECIDED_KINDS: ReadonlyMap<number, OptionKind> = new Map([
  [OptionCode.subnetMask, 'ip4'],
  [OptionCode.hostName, 'text'],
  [OptionCode.broadcast, 'ip4'],
  [OptionCode.leaseTime, 'duration'],
  [OptionCode.serverId, 'ip4'],
  [OptionCode.message, 'text'],
  [OptionCode.renewalTime, 'duration'],
  [OptionCode.rebindingTime, 'duration'],
  [OptionCode.subnetSelection, 'ip4'],
]);

/** The value as a person reads it; bytes as hex pairs where they are not what their option says. */
export function optionText({ code, value }: DhcpOption): string {
  if (code === OptionCode.messageType) return messageTypeName(value[0] ?? 0);
  return (
    readAs(kindOf(code) ?? DECIDED_KINDS.get(code), value) ??
    Buffer.from(value)
      .toString('hex')
      .replaceAll(/..(?=.)/g, '$&:')
  );
}

function readAs(kind: OptionKind | undefined, value: Uint8Array): string | undefined {
  switch (kind) {
    case 'ip4':
    case 'ip4-list':
      return decodeIp4List(value)?.map(formatIp4).join(', ');
    case 'text':
      return decodeText(value);
    case 'duration': {
      const seconds = decodeSeconds(value);
      return seconds === undefined ? undefined : `${seconds} s`;
    }
    case 'u8':
      return decodeU8(value)?.toString();
    case 'u16':
      return decodeU16(value)?.toString();
    case 'u32':
      return decodeSeconds(value)?.toString();
    case 'boolean':
      return value.length === 1 && (value[0] ?? 2) < 2 ? String(value[0] === 1) : undefined;
    case 'domain-list':
      return decodeDomainList(value)?.join(', ');
    case 'routes':
      return decodeClasslessRoutes(value)
        ?.map(({ to, via }) => `${formatCidr(to)} by ${formatIp4(via)}`)
        .join(', ');
    case 'hex':
    case 'suboptions':
    case undefined:
      return undefined;
  }
}
