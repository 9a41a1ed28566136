import { formatIp4 } from '../addr/ip4.ts';
import type { BootOffer } from '../boot/boot-offer.ts';
import type { DhcpOption } from '../wire/dhcp/dhcp-options.ts';
import { OptionCode } from '../wire/dhcp/option-code.ts';
import { encodeTerminatedText, encodeText } from '../wire/dhcp/options/text.ts';

/** Characters that the field takes. */
const LONGEST_FILE = 127;

/** The header's field `file`; empty where the boot file is too long for it. */
export function headerFile({ bootFile = '', quirks: { effects } }: BootOffer): string {
  return effects.bootFileInHeader && bootFile.length <= LONGEST_FILE ? bootFile : '';
}

/** Sent asked or not; 67 is followed by others: UEFI reads on into what comes next (peers.md §3.1/1). */
export function bootOptions({ bootFile, nextServer }: BootOffer): DhcpOption[] {
  if (nextServer === undefined) return [];
  const server = { code: OptionCode.tftpServerName, value: encodeText(formatIp4(nextServer)) };
  if (bootFile === undefined) return [server];
  return [server, { code: OptionCode.bootFileName, value: encodeTerminatedText(bootFile) }];
}

/** A reply's options, where the client wants it without the NUL behind a boot file, ours or the file's own. */
export function asFirmwareReads(options: DhcpOption[], { quirks: { effects } }: BootOffer): DhcpOption[] {
  return effects.bootFileNul ? options : options.map(withoutNul);
}

/** The option as it is for a client that takes a NUL for a letter of the file's name; others are left as they are. */
function withoutNul(option: DhcpOption): DhcpOption {
  const { code, value } = option;
  if (code !== OptionCode.bootFileName || value.at(-1) !== 0) return option;
  return { code, value: value.subarray(0, -1) };
}
