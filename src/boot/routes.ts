import type { Mac } from '../addr/mac.ts';
import type { BootFile, Plan } from '../plan/plan.ts';
import type { Asker } from './asker.ts';
import { createBootIndex } from './boot-plan.ts';
import { grubChainScript, grubScript } from './grub-script.ts';
import { chainScript, machineScript } from './ipxe-script.ts';
import { filesOf, loadersOf } from './loader-files.ts';
import { normalizePath } from './normalize-path.ts';
import { pxelinuxScript, pxelinuxStranger } from './pxelinux-script.ts';
import { rackUrl } from './rack-url.ts';
import type { ScriptFacts } from './script-facts.ts';
import { createScriptNames, type MachineScriptName, type ScriptName } from './script-names.ts';
import { scriptOwner } from './script-owner.ts';

/** What a path stands for. */
export type Resolution =
  | { readonly kind: 'text'; readonly text: string; readonly contentType: string }
  /**
   * A file on disk, not opened yet, which may not exist. What is opened must lie inside the directory `root`,
   * symbolic links followed; where `root` is the file itself, the Plan names it and its links may lead anywhere.
   * `immutable`: its content never changes under this path. `instead`: what takes its place, inside the same root, where it is not there.
   */
  | {
      readonly kind: 'file';
      readonly file: string;
      readonly root: string;
      readonly immutable: boolean;
      readonly instead?: string;
    }
  | { readonly kind: 'missing'; readonly reason: string };

/** The one table of what TFTP and HTTP serve. */
export interface Routes {
  /** `path` as the client wrote it, percent-decoded for HTTP; never throws. */
  resolve(path: string, asker: Asker): Resolution;
}

/** A Raspberry Pi asks for each of its files in a folder named after its serial number first. */
const PI_FOLDER = /^[\da-f]{8}\/(?=.)/;

/** Pure: nothing is opened or looked up on disk. */
export function createRoutes(plan: Plan): Routes {
  const index = createBootIndex(plan);
  const named = namedFiles(plan);
  const scriptName = createScriptNames(plan);

  function resolve(raw: string, asker: Asker): Resolution {
    const path = normalizePath(raw);
    if (path === undefined) return missing('the path climbs out with ".." or holds a control character');
    if (path === '') return missing('this rack lists no directories');
    const wanted = scriptName(path);
    if (wanted !== undefined) return scriptFor(wanted, asker);
    const file = named.get(path);
    return file === undefined ? underFiles(path) : { kind: 'file', file, root: file, immutable: false };
  }

  function scriptFor(wanted: ScriptName, asker: Asker): Resolution {
    if (!('whom' in wanted))
      return script(wanted.script === 'grub-chain' ? grubChainScript() : chainScript(rackUrl(plan, asker.rackAddress)));
    const mac = scriptOwner(wanted.whom, asker);
    if (typeof mac !== 'string') return script(scriptOf(wanted, mac, asker));
    const isLastHope = wanted.script === 'pxelinux' && wanted.whom === 'default';
    return isLastHope ? script(pxelinuxStranger()) : missing(mac);
  }

  function scriptOf(wanted: MachineScriptName, mac: Mac, asker: Asker): string {
    const bootPlan = index.find(mac, asker.host);
    const exit = bootPlan.machine?.exit ?? plan.boot.exit;
    const facts: ScriptFacts = {
      mac,
      rack: rackUrl(plan, asker.rackAddress),
      ...(asker.address !== undefined && { address: asker.address }),
      ...(exit && { exit }),
    };
    switch (wanted.script) {
      case 'ipxe':
        return machineScript(bootPlan, facts);
      case 'grub':
        return grubScript(bootPlan, facts);
      case 'pxelinux':
        return pxelinuxScript(bootPlan, facts, wanted.fetches);
    }
  }

  function underFiles(path: string): Resolution {
    const { files } = plan.boot;
    const shared = path.replace(PI_FOLDER, '');
    const instead = shared === path ? {} : { instead: `${files}/${shared}` };
    return { kind: 'file', file: `${files}/${path}`, root: files, immutable: false, ...instead };
  }

  return { resolve };
}

/** Served path → file, for every file that the Plan names. */
function namedFiles(plan: Plan): ReadonlyMap<string, string> {
  const files = plan.boot.entries.flatMap((entry): readonly BootFile[] => [entry.kernel, ...entry.initrd]);
  return new Map([...files, ...loadersOf(plan).flatMap(filesOf)].map(({ path, file }) => [path, file]));
}

function script(text: string): Resolution {
  return { kind: 'text', text, contentType: 'text/plain; charset=utf-8' };
}

function missing(reason: string): Resolution {
  return { kind: 'missing', reason };
}
