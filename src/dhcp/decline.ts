import { formatIp4, UNSPECIFIED } from '../addr/ip4.ts';
import type { Decision, Exchange } from './exchange.ts';

/**
 * DHCPDECLINE (RFC 2131 §4.3.3): the address offered is in use. Believed only from the client it was given to: one
 * that declines what it was never offered could empty a range (peers.md §3.3/42).
 */
export function handleDecline({ client, addresses }: Exchange): Decision {
  const address = client.requested ?? UNSPECIFIED;
  if (addresses.decline(client, address)) return { kind: 'declined', address };
  return { kind: 'silence', reason: `it declines ${formatIp4(address)}, which it was not given` };
}
