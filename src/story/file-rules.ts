import {
  bareOfBoot,
  isPast,
  isSentToDisk,
  pathOf,
  type EventOf,
  type FileFailed,
  type FileRefused,
  type MachineFacts,
} from './machine-facts.ts';
import { bare } from './path-kinds.ts';
import { clockTime, times, type Finding, type Ground, type Rule } from './trouble.ts';

/** Firmware asks for its first file within seconds; some think for half a minute. */
const FIRST_FILE_PATIENCE = 60_000;
/** So often in one boot nobody is told who heard it: the firmware gave up and began again. */
const MANY_TELLINGS = 3;
/** What is asked for next comes within this time, or never. */
const NEXT_FILE_PATIENCE = 60_000;
/** A loader that can drive its card has its script by then; one that has to bring up a link takes long. */
const LOADER_PATIENCE = 120_000;
/** RFC 2348: what a client that names no size gets, and any path carries. */
const SAFE_BLOCK = 512;

const notFetched: Rule = {
  kind: 'not-fetched',
  isSilence: true,
  find(facts, { now, isLocal }) {
    const { told, netboot, lastFile, asker, mac } = facts;
    if (told?.last.bootFile === undefined || !netboot || lastFile || isPast(facts, 'up')) return undefined;
    // It passed the network over, and its disk is what it was to boot
    if (isLocal && asker === 'system') return undefined;
    const { first, last, count } = told;
    // One that is told over and over is never told long ago
    const isOver = now - last.at >= FIRST_FILE_PATIENCE || count >= MANY_TELLINGS;
    if (!isOver || now - first.at < FIRST_FILE_PATIENCE) return undefined;
    const isUrl = told.last.bootFile.includes('://');
    const when = count < MANY_TELLINGS ? `at ${clockTime(last.at)}` : `${times(count)}, last at ${clockTime(last.at)},`;
    return {
      what: `${last.kind === 'dhcp.proxy-offer' ? 'was told' : 'has its address and was told'} ${when} to boot ${told.last.bootFile}, and never asked for it`,
      why: isUrl
        ? 'its firmware ignores what it is told, or HTTP to this rack is blocked on the way'
        : 'its firmware ignores what it is told, or TFTP to this rack (UDP port 69) is blocked by a firewall on the way',
      next: `\`rackboot capture --mac ${mac}\` shows whether it asks at all; \`rackboot explain --mac ${mac}\` what it is told; a quirk of \`etc/quirks.md\` may fit its firmware`,
      events: netboot.at <= last.at ? [netboot, last] : [last, netboot],
    };
  },
};

const fileMissing: Rule = {
  kind: 'file-missing',
  find(facts, ground) {
    const missing = facts.missing.findLast((event) => isNeeded(facts, event, ground));
    if (!missing) return undefined;
    const path = bare(pathOf(missing));
    const kind = wordOf(facts, path, ground);
    const way = [facts.loader && `got the loader ${bare(pathOf(facts.loader))}`, facts.script && 'got its script'];
    const before = way.filter((step) => step !== undefined).join(', ');
    return {
      what: `${before === '' ? '' : `${before}, `}${kind} missing: ${path}`,
      why: `the file is not where this rack looks for it: ${missing.reason}`,
      next:
        kind === 'loader'
          ? 'put it there, or `rackboot loaders install`; `rackboot check` names every file that is not there'
          : `put ${path} under \`boot.files\`, or mend the path in the file; \`rackboot check\` names every file that is not there`,
      events: [facts.loader, facts.script, missing].filter((event) => event !== undefined),
    };
  },
};

const packetsLost: Rule = {
  kind: 'packets-lost',
  find({ probe, failed, fetched }, { now }) {
    const isOver = failed && fetched && fetched.at > failed.at;
    const stuck = failed && !isOver && isUnheard(failed) ? failed : undefined;
    if (stuck && (stuck.blockSize ?? 0) > SAFE_BLOCK) return blocksLost(pathOf(stuck), stuck.blockSize, [probe, stuck]);
    if (stuck) return portsBlocked(stuck);
    if (!probe || now - probe.at < NEXT_FILE_PATIENCE || (fetched && fetched.at > probe.at)) return undefined;
    return blocksLost(probe.file, probe.blockSize, [probe]);
  },
};

/** Not one block of it arrived, and nobody said why. */
function isUnheard(failed: FileFailed): failed is EventOf<'tftp.failed'> {
  return failed.kind === 'tftp.failed' && failed.block === 0 && failed.silent === true;
}

function blocksLost(
  path: string,
  blockSize: number | undefined,
  events: readonly (MachineFacts['probe'] | FileFailed)[],
): Finding {
  const size = blockSize === undefined || blockSize <= SAFE_BLOCK ? '' : `: blksize ${blockSize} may not pass`;
  const probed = events[0]?.kind === 'tftp.size-probe';
  return {
    what: `${probed ? `fetched the size of ${bare(path)}, never the file` : `asked for ${bare(path)} by TFTP, and no block of it arrived`}${size}`,
    why: 'packets as long as that are lost on the way: an MTU that is smaller than 1500 (VLAN, VXLAN, tunnel), or a middlebox that drops fragments',
    next: 'try `tftp: { block-size: 1024 }`; if that helps, mend the MTU between this rack and the machine (`ping -M do -s 1472`)',
    events: events.filter((event) => event !== undefined),
  };
}

function portsBlocked(failed: FileFailed): Finding {
  return {
    what: `asked for ${bare(pathOf(failed))} by TFTP, and not one block of it arrived`,
    why: 'our answers come from another port than 69, as TFTP has it, and a firewall or NAT on the way lets them not through',
    next: 'set `tftp: { single-port: true }`, or let the firewall follow TFTP (conntrack helper)',
    events: [failed],
  };
}

const cutOff: Rule = {
  kind: 'cut-off',
  find({ failed, lastFile }, { now }) {
    if (!failed || isUnheard(failed)) return undefined;
    // It may go on, or ask again
    if (lastFile !== failed || now - failed.at < NEXT_FILE_PATIENCE) return undefined;
    return {
      what: `did not get ${bare(pathOf(failed))} whole: ${failed.reason}`,
      why: 'the machine went down or gave up, or packets were lost: a bad cable, a full switch, a card that can not take them so fast',
      next: 'look at the errors of its switch port; `tftp: { window: 1 }` or `pace` on its host send more slowly',
      events: [failed],
    };
  },
};

const fileRefused: Rule = {
  kind: 'file-refused',
  find({ refused, lastFile }, { now }) {
    if (!refused || refused !== lastFile || now - refused.at < NEXT_FILE_PATIENCE) return undefined;
    const path = pathOf(refused);
    return {
      what: `is refused ${path === '' ? 'what it asks' : bare(path)}: ${refused.reason}`,
      why: 'this rack has it and may not or can not send it, or the request is none that it takes',
      next: 'read the reason; rights of files are looked at as the user of the rackboot service',
      events: [refused],
    };
  },
};

const noScript: Rule = {
  kind: 'no-script',
  isSilence: true,
  find(facts, { now, called }) {
    const { loader, lastFile } = facts;
    if (facts.stage !== 'loader' || !loader || lastFile !== loader || now - loader.at < LOADER_PATIENCE)
      return undefined;
    return {
      what: `got the loader ${bare(pathOf(loader))}, and nothing came of it: it never asked for its script`,
      why: 'the loader hangs ("initialising devices") or can not drive the card, or Secure Boot does not let it run',
      next: `try another loader for host ${called} (\`loaders: { uefi: ipxe }\` or \`snponly\`); with Secure Boot on, \`shim\`; look at its screen`,
      events: [loader],
    };
  },
};

const noKernel: Rule = {
  kind: 'no-kernel',
  isSilence: true,
  find(facts, { now, isLocal }) {
    const { script, lastFile, mac } = facts;
    if (facts.stage !== 'script' || !script || lastFile !== script || isSentToDisk(facts, isLocal)) return undefined;
    if (now - script.at < NEXT_FILE_PATIENCE) return undefined;
    return {
      what: `got its script at ${clockTime(script.at)}, and never asked for the kernel`,
      why: 'the loader stopped at the script, or the URL in it can not be reached from that network (port of `http`)',
      next: `\`rackboot explain --mac ${mac}\` shows the script with its URLs; fetch one from that network`,
      events: [script],
    };
  },
};

const noInitrd: Rule = {
  kind: 'no-initrd',
  find(facts, { now, paths }) {
    const { fetched, lastFile } = facts;
    if (facts.stage !== 'kernel' || !fetched || lastFile !== fetched || !paths.hasInitrd(pathOf(fetched)))
      return undefined;
    if (paths.kindOf(pathOf(fetched)) !== 'kernel' || now - fetched.at < NEXT_FILE_PATIENCE) return undefined;
    return {
      what: `got the kernel ${bare(pathOf(fetched))}, and never asked for the initrd`,
      why: 'the loader can not use that kernel: of another architecture, not signed under Secure Boot, or larger than its memory',
      next: 'look at its screen; check that the kernel is for that machine',
      events: [fetched],
    };
  },
};

/** A file of a boot, or the last thing that it asked for: firmware and loaders look for many that need not be there. */
function isNeeded(facts: MachineFacts, event: FileRefused, ground: Ground): boolean {
  const path = bare(pathOf(event));
  if (wordOf(facts, path, ground) !== 'file') return facts.fetched === undefined || facts.fetched.at <= event.at;
  return facts.lastFile === event && ground.now - event.at >= NEXT_FILE_PATIENCE && !isPast(facts, 'kernel');
}

function wordOf({ told }: MachineFacts, path: string, { paths }: Ground): string {
  const kind = paths.kindOf(path);
  if (kind === 'kernel' || kind === 'initrd' || kind === 'loader') return kind;
  const file = told?.last.bootFile;
  return file !== undefined && bareOfBoot(file) === path ? 'loader' : 'file';
}

/** From the name of its first file to its last. */
export const FILE_RULES: readonly Rule[] = [
  fileMissing,
  packetsLost,
  cutOff,
  fileRefused,
  notFetched,
  noScript,
  noKernel,
  noInitrd,
];
