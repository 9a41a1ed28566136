import { OptionCode } from '../wire/dhcp/option-code.ts';
import type { Decision, Exchange } from './exchange.ts';
import type { DhcpReply } from './reply.ts';

/** DHCPDISCOVER (RFC 2131 §4.3.1): offer an address, or stay silent so that another server may. */
export function handleDiscover(exchange: Exchange): Decision {
  const { client, served, addresses, conflicts } = exchange;
  const choice = addresses.offer(client, served);
  if (choice.address === undefined) {
    return choice.exhausted ? { kind: 'exhausted', reason: choice.none } : { kind: 'silence', reason: choice.none };
  }
  if (!conflicts.clears(exchange, choice.address)) return { kind: 'probing', address: choice.address };
  if (!commitsRapidly(exchange)) return { kind: 'offer', address: choice.address, by: choice.by };
  return { kind: 'ack', lease: addresses.bind(client, served, choice.address), answers: 'rapid-commit', by: choice.by };
}

/** RFC 4039 §3.1: both sides want it. */
function commitsRapidly({ packet, served }: Exchange): boolean {
  return served.subnet.rapidCommit === true && packet.options.get(OptionCode.rapidCommit)?.length === 0;
}

/** The option tells the client that this ACK is the answer to its DISCOVER (RFC 4039 §4). */
export function withRapidCommit(reply: DhcpReply): DhcpReply {
  const rapidCommit = { code: OptionCode.rapidCommit, value: new Uint8Array(0) };
  const [type, ...others] = reply.options;
  return { ...reply, options: type ? [type, rapidCommit, ...others] : [rapidCommit], answers: 'rapid-commit' };
}
