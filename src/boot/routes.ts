import type { Ip4 } from '../addr/ip4.ts';
import { parseMac, type Mac } from '../addr/mac.ts';
import { BOOT_LOCAL, type BootFile, type Plan } from '../plan/plan.ts';
import { createBootIndex, type BootPlan } from './boot-plan.ts';
import type { BootStates } from './boot-states.ts';
import { normalizePath } from './normalize-path.ts';
import { chainScript, machineScript } from './ipxe-script.ts';
import { rackUrl } from './rack-url.ts';

/** Who asks: the address of ours the request came to, and the machine's own, if known. */
export interface Asker {
  readonly rackAddress: Ip4;
  readonly address?: Ip4;
  /** The name of the host it is known to be by its lease, where the MAC does not tell. */
  readonly host?: string;
}

/** Whose script a text is. `entry`: what it says to netboot; absent where it says the own disk. `host`: as of an Asker. */
interface ScriptMark {
  readonly of: Mac;
  readonly entry?: string;
  readonly host?: string;
}

/** What a path stands for. */
export type Resolution =
  | { readonly kind: 'text'; readonly text: string; readonly contentType: string; readonly script?: ScriptMark }
  /**
   * A file on disk, not opened yet, which may not exist. What is opened must lie inside the directory `root`,
   * symbolic links followed; where `root` is the file itself, the Plan names it and its links may lead anywhere.
   * `immutable`: its content never changes under this path. `isOfEntry`: a kernel or initrd. `orElse`: what the path stands
   * for where no such file is.
   */
  | {
      readonly kind: 'file';
      readonly file: string;
      readonly root: string;
      readonly immutable: boolean;
      readonly isOfEntry?: true;
      readonly orElse?: Resolution;
    }
  | { readonly kind: 'missing'; readonly reason: string };

/** The one table of what TFTP and HTTP serve. */
export interface Routes {
  /** `path` as the client wrote it, percent-decoded for HTTP; never throws. */
  resolve(path: string, asker: Asker): Resolution;
}

const IPXE_PREFIX = 'ipxe/';

/**
 * GRUB looks for these beside its modules before it reads its configuration, and its signed image has no use for them.
 * x86_64-efi/command.lst, i386-pc/fs.lst and their like.
 */
const GRUB_LIST =
  /(?:^|\/)(?:i386|x86_64|arm|arm64|ia64|riscv32|riscv64|loongarch64)-(?:pc|efi)\/(?:command|crypto|fs|parttool|partmap|terminal|video)\.lst$/;

/** Pure: nothing is opened or looked up on disk. `states` is asked anew for each script. */
export function createRoutes(plan: Plan, states?: BootStates): Routes {
  const index = createBootIndex(plan, states);
  const ofEntries = new Set(plan.boot.entries.flatMap(filesOf).map(({ file }) => file));
  const named = namedFiles(plan);
  const folded = foldNames(named);

  function forMachine(spelling: string, asker: Asker): Resolution {
    const mac = parseMac(spelling);
    if (mac === undefined) return missing(`"${spelling}" is not a MAC address: expected one like 52-54-00-12-34-56`);
    const rack = rackUrl(plan, asker.rackAddress);
    const found = index.find(mac, asker.host);
    const text = machineScript(found, { mac, rack, ...addressOf(asker) });
    return { ...script(text), script: markOf(mac, found, asker) };
  }

  function resolve(raw: string, asker: Asker): Resolution {
    const path = normalizePath(raw);
    if (path === undefined) return missing('the path climbs out with ".." or holds a control character');
    if (path === '') return missing('this rack lists no directories');
    if (path === 'boot.ipxe' || path === 'autoexec.ipxe') return script(chainScript(rackUrl(plan, asker.rackAddress)));
    if (path.startsWith(IPXE_PREFIX)) return forMachine(path.slice(IPXE_PREFIX.length), asker);
    const file = named.get(path);
    if (file !== undefined) return namedFile(file);
    const orElse = substituteFor(path);
    const root = plan.boot.files;
    return { kind: 'file', file: `${root}/${path}`, root, immutable: false, ...(orElse && { orElse }) };
  }

  /** For a file that may not be under boot.files. */
  function substituteFor(path: string): Resolution | undefined {
    const file = folded.get(path.toLowerCase());
    if (file !== undefined) return namedFile(file);
    return GRUB_LIST.test(path) ? script('') : undefined;
  }

  function namedFile(file: string): Resolution {
    return { kind: 'file', file, root: file, immutable: false, ...(ofEntries.has(file) && { isOfEntry: true }) };
  }

  return { resolve };
}

function markOf(mac: Mac, { target }: BootPlan, { host }: Asker): ScriptMark {
  return {
    of: mac,
    ...(target !== BOOT_LOCAL && { entry: target.name }),
    ...(host !== undefined && { host }),
  };
}

function filesOf({ kernel, initrd }: Plan['boot']['entries'][number]): readonly BootFile[] {
  return [kernel, ...initrd];
}

/** Served path → file, for every file that the Plan names. */
function namedFiles(plan: Plan): ReadonlyMap<string, string> {
  const { loaders, entries } = plan.boot;
  const files = entries.flatMap(filesOf);
  return new Map([...files, ...Object.values(loaders)].map(({ path, file }) => [path, file]));
}

/** The same by lower-case path, for firmware that asks in capitals; of two alike the first in the Plan. */
function foldNames(named: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map([...named].toReversed().map(([path, file]) => [path.toLowerCase(), file]));
}

function addressOf(asker: Asker): { address?: Ip4 } {
  return asker.address === undefined ? {} : { address: asker.address };
}

function script(text: string): Extract<Resolution, { kind: 'text' }> {
  return { kind: 'text', text, contentType: 'text/plain; charset=utf-8' };
}

function missing(reason: string): Resolution {
  return { kind: 'missing', reason };
}
