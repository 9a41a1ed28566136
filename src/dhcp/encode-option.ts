import type { OptionSetting, OptionValue } from '../plan/option-value.ts';
import type { DhcpOption } from '../wire/dhcp/dhcp-options.ts';
import { OptionCode } from '../wire/dhcp/option-code.ts';
import { encodeBoolean } from '../wire/dhcp/options/boolean.ts';
import { encodeClasslessRoutes } from '../wire/dhcp/options/classless-routes.ts';
import { encodeDomainList } from '../wire/dhcp/options/domain-list.ts';
import { encodeEncapsulated } from '../wire/dhcp/options/encapsulated.ts';
import { encodeU16, encodeU8 } from '../wire/dhcp/options/integer.ts';
import { encodeIp4, encodeIp4List } from '../wire/dhcp/options/ip4.ts';
import { encodeSeconds } from '../wire/dhcp/options/seconds.ts';
import { encodeTerminatedText, encodeText } from '../wire/dhcp/options/text.ts';

/** An option of the Plan as bytes. */
export function encodeOption({ code, value }: OptionSetting): DhcpOption {
  // Old UEFI reads on behind option 67 (peers.md §3.1/1), whoever wrote it
  const isBootFile = code === OptionCode.bootFileName && value.kind === 'text';
  return { code, value: isBootFile ? encodeTerminatedText(value.value) : encodeValue(value) };
}

function encodeValue({ kind, value }: OptionValue): Uint8Array {
  switch (kind) {
    case 'ip4':
      return encodeIp4(value);
    case 'ip4-list':
      return encodeIp4List(value);
    case 'u8':
      return encodeU8(value);
    case 'u16':
      return encodeU16(value);
    case 'u32':
    case 'duration':
      return encodeSeconds(value);
    case 'boolean':
      return encodeBoolean(value);
    case 'text':
      return encodeText(value);
    case 'domain-list':
      return encodeDomainList(value);
    case 'routes':
      return encodeClasslessRoutes(value);
    case 'suboptions':
      return encodeEncapsulated(value.map((part) => ({ code: part.code, value: encodeValue(part.value) })));
    case 'hex':
      return Uint8Array.from(Buffer.from(value, 'hex'));
  }
}
