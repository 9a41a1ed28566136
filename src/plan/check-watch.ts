import type { Mac } from '../addr/mac.ts';
import type { ConfigDraft } from './config-draft.ts';
import type { WatchSettings } from './plan.ts';

/** Locally administered (the second bit), and then "rb": no card of anybody's has it. */
const PROBE_PREFIX = 0x027262;
/** FNV-1a, 32 bits. */
const FNV_START = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** What is seen of the wires; `off`: nothing. Undefined when that is not known. */
export function checkWatch({ watch }: ConfigDraft, rackName: string): WatchSettings | 'off' | undefined {
  if (watch === undefined || watch === 'off') return watch;
  const { scan, 'dhcp-probe': probe } = watch;
  return {
    avoidsUsed: watch['used-addresses'] === 'avoid',
    dhcpServers: watch['dhcp-servers'],
    ...(scan !== 'off' && { scanSeconds: scan }),
    ...(probe !== 'off' && { dhcpProbe: { seconds: probe, mac: probeMac(rackName) } }),
  };
}

/** Whether a rack asks for DHCP servers by this MAC, this one or another. */
export function isProbeMac(mac: string): boolean {
  return Number.parseInt(mac.slice(0, 8).replaceAll(':', ''), 16) === PROBE_PREFIX;
}

/** A MAC of this rack's own, so that it knows its own questions and is asked by another rack all the same. */
function probeMac(rackName: string): Mac {
  let hash = FNV_START;
  for (let at = 0; at < rackName.length; at++) hash = Math.imul(hash ^ rackName.charCodeAt(at), FNV_PRIME);
  return (PROBE_PREFIX * 2 ** 24 + ((hash >>> 0) % 2 ** 24)) as Mac;
}
