import { formatIp4, UNSPECIFIED } from '../addr/ip4.ts';
import type { Decision, Exchange } from './exchange.ts';

/**
 * DHCPDECLINE (RFC 2131 §4.3.3): the address offered is in use. Believed only from the client it was given to, and
 * a few times: one that declines whatever it is offered could empty a range (peers.md §3.3/42).
 */
export function handleDecline({ client, served, addresses }: Exchange): Decision {
  const address = client.requested ?? UNSPECIFIED;
  switch (addresses.decline(client, served, address)) {
    case 'quarantined':
      return { kind: 'declined', address };
    case 'freed':
      return { kind: 'declined', address, disbelief: 'it declined too many addresses of this range already' };
    case 'unheard':
      return { kind: 'silence', reason: `it declines ${formatIp4(address)}, which it was not given` };
  }
}
