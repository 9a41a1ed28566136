import { formatIp4 } from '../addr/ip4.ts';
import type { Decision, Exchange } from './exchange.ts';

/** DHCPRELEASE (RFC 2131 §4.3.4): the address in ciaddr is free; the record stays, so that the client may get it again. */
export function handleRelease({ packet, client, addresses }: Exchange): Decision {
  const address = packet.ciaddr;
  const released = addresses.release(client, address);
  if (released) return { kind: 'released', address, kept: released.kept };
  return { kind: 'silence', reason: `it releases ${formatIp4(address)}, which it does not hold` };
}
