import type { Decision, Exchange } from './exchange.ts';

/** DHCPDISCOVER (RFC 2131 §4.3.1): offer an address, or stay silent so that another server may. */
export function handleDiscover({ client, served, addresses }: Exchange): Decision {
  const choice = addresses.offer(client, served);
  if (choice.address !== undefined) return { kind: 'offer', address: choice.address };
  return choice.exhausted ? { kind: 'exhausted', reason: choice.none } : { kind: 'silence', reason: choice.none };
}
