import type { Ip4 } from '../addr/ip4.ts';
import { formatMac } from '../addr/mac.ts';
import type { Loader, Loaders, OtherArch, Plan } from '../plan/plan.ts';
import type { QuirkEffects, QuirkSwitches } from '../plan/quirk-table.ts';
import { architectureOf, type Architecture } from './architectures.ts';
import { archOf, isFullIpxe, isHttpClient, isNetbootClient, isStrippedIpxe, type BootClient } from './firmware.ts';
import { languageOf, scriptPath } from './loader-language.ts';
import { quirksOf, type AppliedQuirks } from './quirks-of.ts';
import { rackUrl } from './rack-url.ts';
import { encodePath } from './script-facts.ts';
import { readerBootFile, type ScriptReader } from './script-readers.ts';

/** What a DHCP answer says about booting: options 66 and 67, `file` and `siaddr`. */
export interface BootOffer {
  /** A path for TFTP, or a URL for iPXE and UEFI HTTP boot. Never without `nextServer`. */
  readonly bootFile?: string;
  readonly nextServer?: Ip4;
  /** The served path of the script that this loader will ask for. */
  readonly script?: string;
  /** Whose files of an image are for this client. */
  readonly runs: OtherArch | 'x86';
  /** The rule that chose it, in a plain sentence. */
  readonly why: string;
  /** What else is done for this client's firmware. */
  readonly quirks: AppliedQuirks;
}

type Choice = Omit<BootOffer, 'quirks' | 'runs'>;

const NO_NETBOOT: Choice = {
  why: 'not a network boot client: no PXEClient or HTTPClient vendor class, no architecture',
};

/** What the file wishes for one client beyond the boot catalogue: its classes' wishes, and its host's over them. */
export interface BootWishes {
  readonly switches?: QuirkSwitches | undefined;
  readonly loaders?: Loaders | undefined;
}

/** The loader for a client, and the firmware it is for. */
interface Chosen {
  readonly arch: number;
  readonly kind: Architecture;
  readonly loader?: Loader | undefined;
}

/** What this client is to fetch first; `rackAddress` is ours on its subnet. */
export function bootOffer(plan: Plan, client: BootClient, rackAddress: Ip4, wishes: BootWishes = {}): BootOffer {
  const quirks = quirksOf(client, wishes.switches);
  const chosen = chooseLoader({ ...plan.boot.loaders, ...wishes.loaders }, client, quirks.effects);
  return { ...choose(plan, client, rackAddress, quirks.effects, chosen), runs: runsOn(client, quirks.effects), quirks };
}

/**
 * An iPXE gets the script, and so never a loader that is an iPXE again. It gets a loader of another kind where the file chose
 * one for its firmware: a GRUB or PXELINUX asks DHCP nothing as an iPXE, so that ends there.
 */
function choose(
  plan: Plan,
  client: BootClient,
  rackAddress: Ip4,
  effects: QuirkEffects,
  chosen: Chosen | string,
): Choice {
  const isIpxe = isFullIpxe(client) || (isStrippedIpxe(client) && !effects.loaderForIpxe);
  if (isIpxe && !isOtherLoader(chosen)) return scriptOffer(plan, client, rackAddress);
  if (effects.bootFile === 'none') return serverOnly(rackAddress);
  if (!isNetbootClient(client)) return NO_NETBOOT;
  return typeof chosen === 'string' ? { why: chosen } : loaderOffer(plan, client, rackAddress, effects, chosen);
}

/** The loader, or why there is none. */
function chooseLoader(loaders: Loaders, client: BootClient, effects: QuirkEffects): Chosen | string {
  const arch = archOf(client);
  if (arch === undefined) return 'a network boot client that does not tell its architecture (option 93)';
  const kind = architectureOf(effects.readAs ?? arch);
  if (kind === undefined) return `this rack has no loader for architecture ${arch}`;
  return { arch, kind, loader: kind.loader && loaders[kind.loader] };
}

function runsOn(client: BootClient, { readAs }: QuirkEffects): BootOffer['runs'] {
  const arch = readAs ?? archOf(client);
  return (arch === undefined ? undefined : architectureOf(arch)?.runs) ?? 'x86';
}

function isOtherLoader(chosen: Chosen | string): boolean {
  return typeof chosen !== 'string' && chosen.loader !== undefined && languageOf(chosen.loader.path) !== 'ipxe';
}

function scriptOffer(plan: Plan, { mac }: BootClient, nextServer: Ip4): Choice {
  const bootFile = `${rackUrl(plan, nextServer)}/boot.ipxe`;
  const why = 'an iPXE gets the script by HTTP, and never a loader again';
  return { bootFile, nextServer, script: scriptPath('', mac), why };
}

function serverOnly(nextServer: Ip4): Choice {
  return { nextServer, why: 'a Raspberry Pi is told the server, and asks it for files of its own by TFTP' };
}

function loaderOffer(
  plan: Plan,
  client: BootClient,
  nextServer: Ip4,
  effects: QuirkEffects,
  { arch, kind, loader }: Chosen,
): Choice {
  const says = `architecture ${arch} is ${kind.name}`;
  if (kind.reads) return readerOffer(kind.reads, client, nextServer, says, loader);
  // An iPXE says what it runs on, and fetches by any way
  const isHttp = !isFullIpxe(client) && (kind.isHttp === true || isHttpClient(client));
  if (isHttp && effects.bootFile !== 'url')
    return { why: 'UEFI HTTP boot is switched off: the firmware is left to try PXE' };
  if (loader === undefined) return { why: `${says}, and this rack found no loader for it on disk` };
  // Seen with OVMF: shim and GRUB arrive by HTTP, and GRUB 2.06 stands at its prompt without a network
  if (isHttp && languageOf(loader.path) === 'grub')
    return { why: `${says}, but a GRUB that came by HTTP has no network: the firmware is left to try PXE` };
  const bootFile = isHttp ? `${rackUrl(plan, nextServer)}/${encodePath(loader.path)}` : loader.path;
  const why = `${says}, which gets the loader ${loader.path} by ${isHttp ? 'HTTP' : 'TFTP'}`;
  return { bootFile, nextServer, script: scriptPath(loader.path, client.mac), why };
}

function readerOffer(
  reader: ScriptReader,
  { mac }: BootClient,
  nextServer: Ip4,
  says: string,
  loader: Loader | undefined,
): Choice {
  const script = `${reader.folder}/pxelinux.cfg/01-${formatMac(mac, '-')}`;
  const orElse = loader ? `; ${loader.path} is for one that starts EFI programs` : '';
  const why = `${says}, which reads its script itself, as pxelinux.cfg in the folder of its boot file${orElse}`;
  return { bootFile: readerBootFile(reader, loader?.path), nextServer, script, why };
}
