import type { Ip4 } from '../addr/ip4.ts';
import type { Plan } from '../plan/plan.ts';
import type { QuirkEffects, QuirkSwitches } from '../plan/quirk-table.ts';
import { architectureOf } from './architectures.ts';
import { archOf, isFullIpxe, isHttpClient, isNetbootClient, isStrippedIpxe, type BootClient } from './firmware.ts';
import { quirksOf, type AppliedQuirks } from './quirks-of.ts';
import { rackUrl } from './rack-url.ts';

/** What a DHCP answer says about booting: options 66 and 67, `file` and `siaddr`. */
export interface BootOffer {
  /** A path for TFTP, or a URL for iPXE and UEFI HTTP boot. Never without `nextServer`. */
  readonly bootFile?: string;
  readonly nextServer?: Ip4;
  /** The rule that chose it, in a plain sentence. */
  readonly why: string;
  /** What else is done for this client's firmware. */
  readonly quirks: AppliedQuirks;
}

type Choice = Omit<BootOffer, 'quirks'>;

const NO_NETBOOT: Choice = {
  why: 'not a network boot client: no PXEClient or HTTPClient vendor class, no architecture',
};

/** What this client is to fetch first; `rackAddress` is ours on its subnet, `switches` are those of its classes and host. */
export function bootOffer(plan: Plan, client: BootClient, rackAddress: Ip4, switches?: QuirkSwitches): BootOffer {
  const quirks = quirksOf(client, switches);
  return { ...choose(plan, client, rackAddress, quirks.effects), quirks };
}

function choose(plan: Plan, client: BootClient, rackAddress: Ip4, effects: QuirkEffects): Choice {
  if (isFullIpxe(client) || (isStrippedIpxe(client) && !effects.loaderForIpxe)) return scriptOffer(plan, rackAddress);
  if (effects.bootFile === 'none') return serverOnly(rackAddress);
  if (!isNetbootClient(client)) return NO_NETBOOT;
  return loaderOffer(plan, client, rackAddress, effects);
}

function scriptOffer(plan: Plan, nextServer: Ip4): Choice {
  const bootFile = `${rackUrl(plan, nextServer)}/boot.ipxe`;
  return { bootFile, nextServer, why: 'an iPXE gets the script by HTTP, and never a loader again' };
}

function serverOnly(nextServer: Ip4): Choice {
  return { nextServer, why: 'a Raspberry Pi is told the server, and asks it for files of its own by TFTP' };
}

function loaderOffer(plan: Plan, client: BootClient, nextServer: Ip4, effects: QuirkEffects): Choice {
  const arch = archOf(client);
  if (arch === undefined) return { why: 'a network boot client that does not tell its architecture (option 93)' };
  const kind = architectureOf(effects.readAs ?? arch);
  if (kind === undefined) return { why: `this rack has no loader for architecture ${arch}` };
  const isHttp = kind.isHttp === true || isHttpClient(client);
  if (isHttp && effects.bootFile !== 'url')
    return { why: 'UEFI HTTP boot is switched off: the firmware is left to try PXE' };
  const loader = plan.boot.loaders[kind.loader];
  const says = `architecture ${arch} is ${kind.name}`;
  if (loader === undefined) return { why: `${says}, and this rack found no loader for it on disk` };
  const bootFile = isHttp ? `${rackUrl(plan, nextServer)}/${urlPath(loader.path)}` : loader.path;
  return { bootFile, nextServer, why: `${says}, which gets the loader ${loader.path} by ${isHttp ? 'HTTP' : 'TFTP'}` };
}

function urlPath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}
