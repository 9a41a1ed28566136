import type { Mac } from '../addr/mac.ts';
import { BOOT_LOCAL, type Plan } from '../plan/plan.ts';
import type { Asker } from './asker.ts';
import { createBootIndex, type BootPlan } from './boot-plan.ts';
import type { BootStates } from './boot-states.ts';
import { filesOfEntry, formsOf } from './entry-files.ts';
import { grubChainScript, grubScript } from './grub-script.ts';
import { chainScript, machineScript } from './ipxe-script.ts';
import { filesOf, loadersOf } from './loader-files.ts';
import { normalizePath } from './normalize-path.ts';
import { pxelinuxScript, pxelinuxStranger } from './pxelinux-script.ts';
import { rackUrl } from './rack-url.ts';
import { readerScript } from './reader-script.ts';
import type { ScriptFacts } from './script-facts.ts';
import { createScriptNames, type MachineScriptName, type ScriptName } from './script-names.ts';
import { scriptOwner } from './script-owner.ts';
import { isNoProgram, readerOf } from './script-readers.ts';

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

/** A file of an image; its name is for people. */
const SHELVED = /^images\/([0-9a-f]{64})\/[^/]+$/;

/** A Raspberry Pi asks for each of its files in a folder named after its serial number first. */
const PI_FOLDER = /^[\da-f]{8}\/(?=.)/;

/**
 * GRUB looks for these beside its modules before it reads its configuration, and its signed image has no use for them.
 * x86_64-efi/command.lst, i386-pc/fs.lst and their like.
 */
const GRUB_LIST =
  /(?:^|\/)(?:i386|x86_64|arm|arm64|ia64|riscv32|riscv64|loongarch64)-(?:pc|efi)\/(?:command|crypto|fs|parttool|partmap|terminal|video)\.lst$/;

const NO_PROGRAM_TEXT = 'There is no program in this file: pxelinux.cfg beside it says what to boot.\n';

/** Pure: nothing is opened or looked up on disk. `states` is asked anew for each script. */
export function createRoutes(plan: Plan, states?: BootStates): Routes {
  const index = createBootIndex(plan, states);
  const ofEntries = new Set(plan.boot.entries.flatMap(formsOf).flatMap((form) => form.map(({ file }) => file)));
  const shelf = plan.images?.shelf;
  const named = namedFiles(plan);
  const folded = foldNames(named);
  const scriptName = createScriptNames(plan);

  function resolve(raw: string, asker: Asker): Resolution {
    const path = normalizePath(raw);
    if (path === undefined) return missing('the path climbs out with ".." or holds a control character');
    if (path === '') return missing('this rack lists no directories');
    const sha256 = SHELVED.exec(path)?.[1];
    if (sha256 !== undefined && shelf !== undefined) return shelvedFile(shelf, sha256);
    const wanted = scriptName(path);
    const file = named.get(path);
    const isScript = wanted !== undefined && !(file !== undefined && isNobodys(wanted, asker));
    if (isScript) return scriptFor(wanted, asker);
    const below = file === undefined ? readerOf(path)?.below : undefined;
    if (below !== undefined) return belowReader(path, below, asker);
    return file === undefined ? underFiles(path, substituteFor(path)) : namedFile(file);
  }

  /** All that is served, once more; and what the operator has put into such a folder goes before a file that nobody names. */
  function belowReader(path: string, below: string, asker: Asker): Resolution {
    if (isNoProgram(below)) return script(NO_PROGRAM_TEXT);
    const same = resolve(below, asker);
    return same.kind === 'file' && same.root === plan.boot.files ? underFiles(path, same) : same;
  }

  function scriptFor(wanted: ScriptName, asker: Asker): Resolution {
    if (!('whom' in wanted))
      return script(wanted.script === 'grub-chain' ? grubChainScript() : chainScript(rackUrl(plan, asker.rackAddress)));
    const mac = scriptOwner(wanted.whom, asker);
    if (typeof mac !== 'string') return scriptOf(wanted, mac, asker);
    const isLastHope = wanted.script === 'pxelinux' && wanted.whom === 'default';
    return isLastHope ? script(pxelinuxStranger()) : missing(mac);
  }

  function scriptOf(wanted: MachineScriptName, mac: Mac, asker: Asker): Resolution {
    const bootPlan = index.find(mac, asker.host);
    const exit = bootPlan.machine?.exit ?? plan.boot.exit;
    const facts: ScriptFacts = {
      mac,
      rack: rackUrl(plan, asker.rackAddress),
      ...(asker.address !== undefined && { address: asker.address }),
      ...(exit && { exit }),
    };
    return { ...script(textOf(wanted, bootPlan, facts)), script: markOf(mac, bootPlan, asker) };
  }

  /** A file that the Plan does not name. */
  function underFiles(path: string, orElse?: Resolution): Resolution {
    const root = plan.boot.files;
    return { kind: 'file', file: `${root}/${path}`, root, immutable: false, ...(orElse && { orElse }) };
  }

  /** For a file that may not be under boot.files. */
  function substituteFor(path: string): Resolution | undefined {
    const file = folded.get(path.toLowerCase());
    if (file !== undefined) return namedFile(file);
    if (GRUB_LIST.test(path)) return script('');
    return PI_FOLDER.test(path) ? underFiles(path.replace(PI_FOLDER, '')) : undefined;
  }

  /** By its content alone: the same for ever, whatever else is imported, named or taken out of the file meanwhile. */
  function shelvedFile(root: string, sha256: string): Resolution {
    const file = `${root}/${sha256}`;
    return { kind: 'file', file, root, immutable: true, ...(ofEntries.has(file) && { isOfEntry: true }) };
  }

  function namedFile(file: string): Resolution {
    return { kind: 'file', file, root: file, immutable: false, ...(ofEntries.has(file) && { isOfEntry: true }) };
  }

  return { resolve };
}

/** In a folder of scripts under a name that is no machine's, like ipxe/snponly.efi. */
function isNobodys(wanted: ScriptName, asker: Asker): boolean {
  return 'whom' in wanted && typeof scriptOwner(wanted.whom, asker) === 'string';
}

function textOf(wanted: MachineScriptName, bootPlan: BootPlan, facts: ScriptFacts): string {
  switch (wanted.script) {
    case 'ipxe':
      return machineScript(bootPlan, facts);
    case 'grub':
      return grubScript(bootPlan, facts);
    case 'pxelinux':
      return pxelinuxScript(bootPlan, facts, wanted.fetches);
    case 'reader':
      return readerScript(bootPlan, facts, wanted.reader);
  }
}

function markOf(mac: Mac, { target }: BootPlan, { host }: Asker): ScriptMark {
  return {
    of: mac,
    ...(target !== BOOT_LOCAL && { entry: target.name }),
    ...(host !== undefined && { host }),
  };
}

/** Served path → file, for every file that the Plan names. */
function namedFiles(plan: Plan): ReadonlyMap<string, string> {
  const files = [...plan.boot.entries.flatMap(filesOfEntry), ...loadersOf(plan).flatMap(filesOf)];
  return new Map(files.map(({ path, file }) => [path, file]));
}

/** The same by lower-case path, for firmware that asks in capitals; of two alike the first in the Plan. */
function foldNames(named: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map([...named].toReversed().map(([path, file]) => [path.toLowerCase(), file]));
}

function script(text: string): Extract<Resolution, { kind: 'text' }> {
  return { kind: 'text', text, contentType: 'text/plain; charset=utf-8' };
}

function missing(reason: string): Resolution {
  return { kind: 'missing', reason };
}
