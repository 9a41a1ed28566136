import type { DhcpOption } from '../wire/dhcp/dhcp-options.ts';
import { OptionCode } from '../wire/dhcp/option-code.ts';
import type { DhcpPacket } from '../wire/dhcp/packet.ts';

/**
 * What every reply carries back as it came, NAK included: the client identifier, by which relays and clients without a
 * hardware address know whose it is (RFC 6842 §3), the subnet it selected (RFC 3011 §2), and the relay's option (RFC 3046 §2.2), also that of a switch
 * which adds it and leaves giaddr empty. Copies: the datagram's buffer is used again before the reply is written.
 */
const ECHOED = [OptionCode.clientId, OptionCode.subnetSelection, OptionCode.relayAgent] as const;

export function echoedOptions({ options }: DhcpPacket): DhcpOption[] {
  const echoed: DhcpOption[] = [];
  for (const code of ECHOED) {
    const value = options.get(code);
    if (value) echoed.push({ code, value: value.slice() });
  }
  return echoed;
}
