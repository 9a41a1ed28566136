import type { Subnet } from '../plan/plan.ts';
import type { DhcpOption } from '../wire/dhcp/dhcp-options.ts';
import { OptionCode } from '../wire/dhcp/option-code.ts';
import { encodeClientFqdn } from '../wire/dhcp/options/client-fqdn.ts';
import type { Exchange } from './exchange.ts';

/**
 * Option 81 for a client that sent one (RFC 4702 §4): the rack's zones are its own, so where it serves names it puts
 * them in itself, also for a client that would rather do so. One that wants no name at all is given none (N); nor is
 * there one where this rack serves no names, or when the name is somebody else's.
 */
export function nameAnswer({ client, served }: Exchange, name: string | undefined): DhcpOption[] {
  const { fqdn } = client;
  if (!fqdn) return [];
  const serverUpdates = name !== undefined && hasNames(served.subnet);
  const answer = {
    serverUpdates,
    noUpdates: !serverUpdates,
    isOverridden: fqdn.serverUpdates !== serverUpdates,
    isCanonical: fqdn.isCanonical,
    name: name === undefined ? '' : fullName(name, served.subnet),
  };
  return [{ code: OptionCode.clientFqdn, value: encodeClientFqdn(answer) }];
}

function hasNames({ management, domain }: Subnet): boolean {
  return management === 'dhcp+dns' && domain !== undefined;
}

function fullName(label: string, { domain }: Subnet): string {
  return domain === undefined ? label : `${label}.${domain}`;
}
