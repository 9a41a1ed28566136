import type { Ip4 } from '../addr/ip4.ts';
import type { BootFile, Plan } from '../plan/plan.ts';
import { archOf, firmwareOf, isNetbootClient, type BootClient } from './firmware.ts';
import { rackUrl } from './rack-url.ts';

/** What a DHCP answer says about booting: options 66 and 67, `file` and `siaddr`. Both or neither. */
export interface BootOffer {
  /** A path for TFTP, or a URL for iPXE. */
  readonly bootFile?: string;
  readonly nextServer?: Ip4;
  /** The rule that chose it, in a plain sentence. */
  readonly why: string;
}

/** What this client is to fetch first; `rackAddress` is ours on its subnet. */
export function bootOffer(plan: Plan, client: BootClient, rackAddress: Ip4): BootOffer {
  const { loaders } = plan.boot;
  const firmware = firmwareOf(client);
  if (firmware === 'ipxe') return scriptOffer(plan, rackAddress);
  if (firmware === 'bios') return loaderOffer(client, loaders.bios, 'x86 BIOS', rackAddress);
  if (firmware === 'uefi') return loaderOffer(client, loaders.uefi, 'x86-64 UEFI', rackAddress);
  if (firmware === 'http') return { why: 'UEFI HTTP boot is not served: the firmware is left to try PXE' };
  return { why: reasonForNothing(client) };
}

function scriptOffer(plan: Plan, nextServer: Ip4): BootOffer {
  const bootFile = `${rackUrl(plan, nextServer)}/boot.ipxe`;
  return { bootFile, nextServer, why: 'an iPXE that speaks HTTP gets the script, and never a loader again' };
}

function loaderOffer(client: BootClient, loader: BootFile | undefined, kind: string, nextServer: Ip4): BootOffer {
  const arch = `architecture ${archOf(client)} is ${kind}`;
  if (loader === undefined) return { why: `${arch}, and this rack found no loader for it on disk` };
  return { bootFile: loader.path, nextServer, why: `${arch}, which gets the loader ${loader.path} by TFTP` };
}

function reasonForNothing(client: BootClient): string {
  if (!isNetbootClient(client))
    return 'not a network boot client: no PXEClient or HTTPClient vendor class, no architecture';
  const arch = archOf(client);
  if (arch === undefined) return 'a network boot client that does not tell its architecture (option 93)';
  return `this rack has no loader for architecture ${arch}`;
}
