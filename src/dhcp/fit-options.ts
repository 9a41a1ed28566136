import type { DhcpOption } from '../wire/dhcp/dhcp-options.ts';
import { OptionCode } from '../wire/dhcp/option-code.ts';

/** Header and cookie before the options, and End behind them. */
const FRAME = 240 + 1;
/** Without these there is no lease; the mask also stands behind option 67, which must not be the last. */
const ESSENTIAL: ReadonlySet<number> = new Set([
  OptionCode.messageType,
  OptionCode.serverId,
  OptionCode.leaseTime,
  OptionCode.subnetMask,
]);

/**
 * The options that a message of at most `limit` bytes can carry, in their order: the essential ones, then the relay's
 * (RFC 3046 §2.2: whole or not at all) and the client's own identifier, then the others as long as there is room. PXE ROMs trip over option 52, so
 * what does not fit is left out and not put into `file` and `sname` (peers.md §3.1/20).
 */
export function fitOptions(options: readonly DhcpOption[], limit: number): readonly DhcpOption[] {
  let room = limit - FRAME;
  if (options.reduce((sum, option) => sum + sizeOf(option), 0) <= room) return options;
  const kept = new Set<DhcpOption>();
  for (const option of options.toSorted((a, b) => rank(a) - rank(b))) {
    const size = sizeOf(option);
    if (size > room) continue;
    room -= size;
    kept.add(option);
  }
  return options.filter((option) => kept.has(option));
}

function rank({ code }: DhcpOption): number {
  if (ESSENTIAL.has(code)) return 0;
  return code === OptionCode.relayAgent || code === OptionCode.clientId ? 1 : 2;
}

/** One longer than 255 bytes goes out in several pieces (RFC 3396). */
function sizeOf({ value }: DhcpOption): number {
  return value.length + 2 * Math.max(1, Math.ceil(value.length / 255));
}
