import { OptionCode } from '../wire/dhcp/option-code.ts';
import { encodeSeconds } from '../wire/dhcp/options/seconds.ts';
import type { DhcpReply } from './reply.ts';

/** The same OFFER or ACK for at most `seconds`: lease time, T1 and T2 (RFC 2131 §4.4.5: half and seven eighths). */
export function shortenGrant(reply: DhcpReply, seconds: number): DhcpReply {
  const times = new Map<number, number>([
    [OptionCode.leaseTime, seconds],
    [OptionCode.renewalTime, Math.floor(seconds / 2)],
    [OptionCode.rebindingTime, Math.floor((seconds * 7) / 8)],
  ]);
  const options = reply.options.map((option) => {
    const time = times.get(option.code);
    return time === undefined ? option : { ...option, value: encodeSeconds(time) };
  });
  return { ...reply, options };
}
