import { readFileSync } from 'node:fs';
import process from 'node:process';
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';

import { boots, resetBoots } from './cli/boots.ts';
import { capture } from './cli/capture.ts';
import { check } from './cli/check.ts';
import { controlPath, RefusedError, UnreachableError } from './cli/control-client.ts';
import { events } from './cli/events.ts';
import { EXPLAIN_OPTIONS } from './cli/explain-options.ts';
import { images, importImages, manageImages } from './cli/images.ts';
import { exportLeases, importLeases, leases, releaseLease } from './cli/leases.ts';
import { machines, machineStory } from './cli/machines.ts';
import { run, type DaemonProcess } from './cli/run.ts';
import { neighbours, scanNeighbours } from './cli/neighbours.ts';
import { status } from './cli/status.ts';
import { dumpZone, showUpdates, zones } from './cli/zones.ts';

/** Exit codes of every command (design §5). */
const ANSWER_IS_NO = 1;
const WRONG_USAGE = 2;
const UNREACHABLE = 3;

const USAGE = `usage: rackboot COMMAND [OPTIONS]

  run       [--config F]                     the daemon, in the foreground
  check     [--config F] [--no-region]       exit 0, or 1 with every fault of the file, and of what the region said last
  explain   --mac M [--arch 7] [--ipxe full] [--relay IP] …   what that machine would get, and by which rule
            [--message discover|request|renew|rebind|inform|decline|release|bootp] [--requested IP]
            [--vendor-class S] [--user-class S]
            [--name S] [--client-id HEX|TEXT] [--ask 1,3,…] [--broadcast] [--interface I]
            [--circuit-id HEX|TEXT] [--remote-id HEX|TEXT] [--link-selection IP] [--uuid U]
            [--option NAME|NUMBER=HEX|TEXT]… [--fetch PATH]… [--json] [--config F] [--no-region]
            --pcap FILE [--interface I]    the same for each machine that asks in a capture
  replay    FILE [--interface I] [--json] [--no-region]   what we would have answered to a capture, and how that differs from it
  status    [--json]                         how the running daemon is
  leases    [--json]                         who has which address
            release ADDRESS|MAC              ends a lease, its name with it
            export                           all of them, as Kea's memfile (CSV)
            import --from kea|isc|dnsmasq FILE   takes over another server's
  boots     [--json]                         which machine has had which boot entry, and which is held as in a loop
            reset MAC|NAME | --all           lets it, or all, netboot again
  machines  [--trouble] [--json]             a line each: name, MAC, address, how far it has come, what is wrong
            MAC|NAME|ADDRESS                 what happened to it, what is wrong and why; exit code 1 when something is
  capture   --mac M [--out FILE|-] [--seconds N]   a pcap of what the daemon hears from a machine and says to it
  neighbours [--json]                        who is on the wires, and what is wrong there
            scan [--subnet CIDR]             asks for every address, now
  images    [--json]                         the images that are here, and what is missing and why
            import [--source NAME] [--dry-run]   fetches what the sources have, now
            stop                             ends the import that runs
            gc                               takes away what nobody uses any more
            verify                           reads them all, and fetches again what is spoilt
            remove OS/RELEASE[/ARCH…]        tells machines of it no more
            add NAME --kernel F [--initrd F] [--dtb F] [--root F] | --iso F   an image of your own files
            export DIR [--key F]             a mirror of them all, signed or not, for a rack without a network
  zones     [--json]                         which zones are served, from where, and what is wrong with their files
            dump NAME                        one as it is served, as a master file
            updates NAME [--forget]          what dynamic updates did to one; --forget undoes it all
  events    [--mac M] [--follow] [--limit N] [--json]   what happened
  loaders   [--json] [--config F]            the first programs machines fetch: which are here, and where
            install [--config F]           takes them from Debian's packages: iPXE, shim, GRUB, PXELINUX
  enrol     --token T | --token-file F|- [--url URL] [--config F]   makes this rack known to its region
  region    run | init | racks [remove|rotate NAME] | enrol-rack [--name N] [--valid 1h] | audit    the region that racks follow
            createadmin --username=U --email=E [--password=P|--password-file F] | apikey --username=U [--list|--revoke N]   its operators
  api       login PROFILE URL [KEY|-] [--key-file F] [--ca F] [--pin SHA256] | list | logout PROFILE | refresh   at a region, or a MAAS
            PROFILE RESOURCE ACTION [ID…] [name=value | name@=F]… [--debug]   asks it, by what it says of itself: PROFILE --help
  lab       [--firmware F] [--loader L] [--content image|files] [--keep] [--timeout S]   a virtual machine that boots from rackboot
            F: bios|bios-pxe|uefi|uefi-http|secure-boot|uefi-ia32|arm64|arm64-secure-boot

The file is /etc/rackboot/rackboot.yaml unless --config says otherwise. status, leases, boots, machines, capture,
neighbours, images, zones and events find the daemon by the control socket the file names, or --control PATH.
Exit codes: 0 done, 1 the answer is no, 2 wrong usage, 3 the daemon can't be reached.`;

const CONFIG = { config: { type: 'string', default: '/etc/rackboot/rackboot.yaml' } } as const;
const ASKING = { ...CONFIG, control: { type: 'string' }, json: { type: 'boolean', default: false } } as const;

/** Without what the region said last. */
const ALONE = { 'no-region': { type: 'boolean', default: false } } as const;

type Command = (argv: string[]) => Promise<number> | number;

const COMMANDS: Readonly<Record<string, Command>> = {
  run: (argv) => {
    const { config } = parse(argv, CONFIG);
    const stop = stopSignal();
    return run({ config, environment: process.env, stop, process: daemonProcess() }, complain);
  },
  check: (argv) => check(parse(argv, { ...CONFIG, ...ALONE }), print),
  explain: async (argv) => {
    const options = parse(argv, { ...CONFIG, ...EXPLAIN_OPTIONS });
    // What the daemon's own main thread need not hold
    const { explain } = await import('./cli/explain.ts');
    return explain(options, print);
  },
  replay: async (argv) => {
    const flag = { type: 'boolean', default: false } as const;
    const options = { ...CONFIG, ...ALONE, interface: { type: 'string' }, json: flag } as const;
    const { values, positionals } = parseWithOperands(argv, options);
    const [file, ...more] = positionals;
    if (file === undefined || more.length > 0) throw new UsageError('replay: expected one capture, pcap or pcapng');
    // What the daemon's own main thread need not hold
    const { replay } = await import('./cli/replay.ts');
    return replay(values, file, print);
  },
  status: (argv) => {
    const { json, ...where } = parse(argv, ASKING);
    return status({ json, control: socketOf(where) }, print);
  },
  leases: ([verb, ...argv]) => {
    if (verb === 'release' || verb === 'export' || verb === 'import') return changeLeases(verb, argv);
    const { json, ...where } = parse(verb === undefined ? [] : [verb, ...argv], ASKING);
    return leases({ json, control: socketOf(where) }, print);
  },
  boots: ([verb, ...argv]) => {
    if (verb === 'reset') return resetBoot(argv);
    const { json, ...where } = parse(verb === undefined ? [] : [verb, ...argv], ASKING);
    return boots({ json, control: socketOf(where) }, print);
  },
  capture: (argv) => {
    const text = { type: 'string' } as const;
    const { mac, out, seconds, ...where } = parse(argv, {
      ...CONFIG,
      control: text,
      mac: text,
      out: text,
      seconds: text,
    });
    // What it has to say has no place in a capture on standard output
    return capture({ control: socketOf(where), mac, out, seconds, stop: stopSignal(), write: writeOut }, complain);
  },
  machines: (argv) => {
    const { values, positionals } = parseWithOperands(argv, {
      ...ASKING,
      trouble: { type: 'boolean', default: false },
    });
    const { json, trouble, ...where } = values;
    const [machine, ...more] = positionals;
    if (more.length > 0 || (machine !== undefined && trouble))
      throw new UsageError('machines: expected one MAC, name or address, or none');
    const control = socketOf(where);
    return machine === undefined
      ? machines({ json, trouble, control }, print)
      : machineStory({ json, control }, machine, print);
  },
  neighbours: ([verb, ...argv]) => {
    const words = verb === undefined || verb === 'scan' ? argv : [verb, ...argv];
    const { json, subnet, ...where } = parse(words, { ...ASKING, subnet: { type: 'string' } });
    const options = { json, control: socketOf(where) };
    if (verb === 'scan') return scanNeighbours(options, subnet, print);
    if (subnet !== undefined) throw new UsageError('neighbours: takes --subnet with scan only');
    return neighbours(options, print);
  },
  images: ([verb, ...argv]) => {
    if (verb !== undefined && !verb.startsWith('-')) return changeImages(verb, argv);
    const { json, ...where } = parse(verb === undefined ? [] : [verb, ...argv], ASKING);
    return images({ json, control: socketOf(where) }, print);
  },
  zones: ([verb, ...argv]) => {
    if (verb === 'dump' || verb === 'updates') return showZone(verb, argv);
    const { json, ...where } = parse(verb === undefined ? [] : [verb, ...argv], ASKING);
    return zones({ json, control: socketOf(where) }, print);
  },
  events: (argv) => {
    const followed = { type: 'boolean', default: false } as const;
    const options = parse(argv, { ...ASKING, follow: followed, mac: { type: 'string' }, limit: { type: 'string' } });
    return events({ ...options, control: socketOf(options), stop: stopSignal() }, print);
  },
  loaders: async ([verb, ...argv]) => {
    // What the daemon's own main thread need not hold
    const { loaders, loadersInstall } = await import('./cli/loaders.ts');
    if (verb === 'install') return loadersInstall(parse(argv, CONFIG), print);
    const words = verb === undefined ? [] : [verb, ...argv];
    return loaders(parse(words, { ...CONFIG, json: { type: 'boolean', default: false } }), print);
  },
  enrol: async (argv) => {
    const text = { type: 'string' } as const;
    const options = parse(argv, { ...CONFIG, token: text, 'token-file': text, url: text });
    const { config, token, 'token-file': file, url } = options;
    if ((token === undefined) === (file === undefined))
      throw new UsageError('enrol: expected --token T or --token-file F, of which - is standard input');
    // What the daemon's own main thread need not hold
    const { enrolRack } = await import('./cli/enrol.ts');
    const written = file === undefined ? token : file === '-' ? await readInput() : readFileSync(file, 'utf8');
    return enrolRack({ config, token: (written ?? '').trim(), url }, print);
  },
  region: ([verb, ...argv]) => runRegionCommand(verb, argv),
  api: async (words) => {
    // What the daemon's own main thread need not hold
    const { api } = await import('./cli/api.ts');
    return api({
      words,
      environment: process.env,
      now: () => Date.now(),
      isTerminal: process.stdout.isTTY,
      readInput,
      askSecret: process.stdin.isTTY ? askSecret : undefined,
      write: writeOut,
      print,
      complain,
    });
  },
  lab: async (argv) => {
    const text = { type: 'string' } as const;
    const options = parse(argv, {
      firmware: text,
      loader: text,
      content: text,
      keep: { type: 'boolean' },
      timeout: text,
      accel: text,
    });
    // The OpenPGP of its mirror is 25 MB that the daemon need not hold
    const { lab } = await import('./cli/lab.ts');
    return lab({ ...options, signal: stopSignal() }, print);
  },
};

const REGION_OPTIONS = {
  config: { type: 'string', default: '/etc/rackboot/region.yaml' },
  json: { type: 'boolean', default: false },
  username: { type: 'string' },
  password: { type: 'string' },
  'password-file': { type: 'string' },
  email: { type: 'string' },
  name: { type: 'string' },
  valid: { type: 'string', default: '1h' },
  list: { type: 'boolean', default: false },
  revoke: { type: 'string' },
  limit: { type: 'string', default: '100' },
  'no-source': { type: 'boolean', default: false },
  state: { type: 'string' },
  database: { type: 'string' },
  listen: { type: 'string', multiple: true },
  url: { type: 'string' },
  images: { type: 'string' },
  certificate: { type: 'string' },
  key: { type: 'string' },
  'log-level': { type: 'string' },
} as const;

/** The region's server and what is asked of it on its own machine. */
async function runRegionCommand(verb: string | undefined, argv: string[]): Promise<number> {
  const { values, positionals } = parseWithOperands(argv, REGION_OPTIONS);
  // What the daemon's own main thread need not hold
  const { regionFlags, regionWish } = await import('./cli/region-wish.ts');
  const place = { config: values.config, flags: regionFlags(values) };
  const identity = { uid: process.geteuid?.() ?? -1, become: becomeUser };
  if (verb === 'run') {
    if (positionals.length > 0) throw new UsageError('region run: expected nothing more');
    const { runRegion } = await import('./cli/region-run.ts');
    const { env: environment } = process;
    return runRegion({ place, identity, environment, stop: stopSignal(), process: daemonProcess() }, complain);
  }
  const isAsked = verb === 'createadmin' && values.password === undefined && values['password-file'] === undefined;
  const password = isAsked && process.stdin.isTTY ? { password: await askSecretTwice('Password') } : {};
  const wish = regionWish(verb, { ...values, ...password }, positionals);
  if (typeof wish === 'string') throw new UsageError(`region: ${wish}`);
  const { askRegion, describeRack, nextSteps } = await import('./cli/region.ts');
  const answer = await askRegion<unknown[]>(place, identity, wish, complain);
  if (answer === undefined) return ANSWER_IS_NO;
  if (values.json) print(JSON.stringify(answer));
  else if (wish.kind === 'racks') {
    for (const rack of answer as Parameters<typeof describeRack>[0][])
      for (const line of describeRack(rack, Date.now())) print(line);
  } else for (const line of answer) print(typeof line === 'string' ? line : JSON.stringify(line));
  if (wish.kind === 'init' && !values.json) for (const line of nextSteps(values.config)) print(line);
  return 0;
}

/** For good: what is done next is done by that user. */
function becomeUser(uid: number, gid: number): void {
  process.setgroups?.([gid]);
  process.setgid?.(gid);
  process.setuid?.(uid);
}

/** At the terminal, without it being seen. */
async function askSecretTwice(what: string): Promise<string> {
  const [secret = '', again] = await askSecrets([`${what}: `, `${what} again: `]);
  if (secret !== again) throw new UsageError('the two are not the same');
  return secret;
}

async function askSecret(question: string): Promise<string> {
  const [secret = ''] = await askSecrets([question]);
  return secret;
}

async function askSecrets(questions: readonly string[]): Promise<string[]> {
  const asking = await import('./cli/ask-secret.ts');
  return asking.askSecrets(questions, process.stdin, (text) => void process.stderr.write(text));
}

const LEASE_OPERANDS = {
  release: 'expected one address or MAC',
  export: 'expected nothing more',
  import: 'expected one file',
} as const;

function changeLeases(verb: 'release' | 'export' | 'import', argv: string[]): Promise<number> {
  const { values, positionals } = parseWithOperands(argv, { ...ASKING, from: { type: 'string' } });
  const { from, json, ...where } = values;
  const options = { json, control: socketOf(where) };
  const [subject = '', ...more] = positionals;
  if (verb === 'export' && subject === '') return exportLeases(options, print);
  if (more.length > 0 || subject === '' || verb === 'export')
    throw new UsageError(`leases ${verb}: ${LEASE_OPERANDS[verb]}`);
  if (verb === 'release') return releaseLease(options, subject, print);
  if (from === undefined) throw new UsageError('leases import: expected --from kea, isc or dnsmasq');
  return importLeases(options, { from, file: subject }, print);
}

function resetBoot(argv: string[]): Promise<number> {
  const every = { type: 'boolean', default: false } as const;
  const { values, positionals } = parseWithOperands(argv, { ...ASKING, all: every });
  const { all, json, ...where } = values;
  const [machine, ...more] = positionals;
  if (more.length > 0 || all !== (machine === undefined))
    throw new UsageError('boots reset: expected one MAC or name, or --all');
  return resetBoots({ json, control: socketOf(where) }, machine === undefined ? 'all' : { machine }, print);
}

const IMAGE_OPTIONS = {
  ...ASKING,
  source: { type: 'string' },
  'dry-run': { type: 'boolean', default: false },
  kernel: { type: 'string' },
  initrd: { type: 'string' },
  dtb: { type: 'string' },
  root: { type: 'string' },
  iso: { type: 'string' },
  key: { type: 'string' },
} as const;
/** Which of these each verb takes besides those of asking. */
const IMAGE_VERBS: Readonly<Record<string, { readonly options: readonly string[]; readonly operand?: string }>> = {
  import: { options: ['source', 'dry-run'] },
  stop: { options: [] },
  gc: { options: [] },
  verify: { options: [] },
  remove: { options: [], operand: 'the name of an image, like ubuntu/noble' },
  add: { options: ['kernel', 'initrd', 'dtb', 'root', 'iso'], operand: 'a name like custom/rescue' },
  export: { options: ['key'], operand: 'a directory' },
};

async function changeImages(verb: string, argv: string[]): Promise<number> {
  const taken = Object.hasOwn(IMAGE_VERBS, verb) ? IMAGE_VERBS[verb] : undefined;
  if (!taken) throw new UsageError(`images: expected one of ${Object.keys(IMAGE_VERBS).join(', ')}, found ${verb}`);
  const { values, positionals } = parseWithOperands(argv, IMAGE_OPTIONS);
  const [operand, ...more] = positionals;
  const others = ['source', 'dry-run', 'kernel', 'initrd', 'dtb', 'root', 'iso', 'key'] as const;
  const stray = others.find(
    (name) => !taken.options.includes(name) && values[name] !== undefined && values[name] !== false,
  );
  if (stray !== undefined) throw new UsageError(`images ${verb}: takes no --${stray}`);
  if (more.length > 0 || (operand === undefined) !== (taken.operand === undefined))
    throw new UsageError(`images ${verb}: expected ${taken.operand ?? 'nothing more'}`);
  const { json, source, kernel, initrd, dtb, root, iso, key, ...where } = values;
  const options = { json, control: socketOf(where) };
  if (verb === 'import') {
    const columns = process.stdout.isTTY ? process.stdout.columns : undefined;
    const terminal = { columns, write: (text: string) => void process.stdout.write(text), now: () => Date.now() };
    const only = source === undefined ? {} : { only: source };
    return importImages({ ...options, ...only, isDryRun: values['dry-run'], terminal, stop: stopSignal() }, print);
  }
  if (verb === 'stop' || verb === 'gc' || verb === 'verify') return manageImages(options, { kind: verb }, print);
  if (verb === 'remove') return manageImages(options, { kind: 'remove', image: operand ?? '' }, print);
  // What the daemon's own main thread need not hold
  const { addOwnImage, exportImages } = await import('./cli/image-files.ts');
  const { config } = where;
  if (verb === 'export') return exportImages({ config, key }, operand ?? '', print);
  return addOwnImage({ ...options, config, kernel, initrd, dtb, root, iso }, operand ?? '', print);
}

function showZone(verb: 'dump' | 'updates', argv: string[]): Promise<number> {
  const forgetting = verb === 'updates' ? { forget: { type: 'boolean', default: false } as const } : {};
  const { values, positionals } = parseWithOperands(argv, { ...ASKING, ...forgetting });
  const { json, forget, ...where } = values;
  const [zone, ...more] = positionals;
  if (zone === undefined || more.length > 0) throw new UsageError(`zones ${verb}: expected the name of one zone`);
  const options = { json, control: socketOf(where) };
  return verb === 'dump'
    ? dumpZone(options, zone, print)
    : showUpdates({ ...options, forget: forget === true }, zone, print);
}

/** The command line does not fit the command. */
class UsageError extends Error {
  override readonly name = 'UsageError';
}

function parse<const T extends ParseArgsOptionsConfig>(args: string[], options: T) {
  return parseWithOperands(args, options, false).values;
}

function parseWithOperands<const T extends ParseArgsOptionsConfig>(
  args: string[],
  options: T,
  allowPositionals = true,
) {
  try {
    return parseArgs({ args, options, strict: true, allowPositionals });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function socketOf(where: { config: string; control?: string | undefined }): string {
  return where.control ?? controlPath(where.config);
}

/** Aborted by the first SIGTERM or SIGINT; the reason is the signal's name. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => controller.abort(name));
  return controller.signal;
}

/** SIGHUP is heard from the first moment on: unheard, it would end the process. */
function daemonProcess(): DaemonProcess {
  let early = false;
  let reload = (): void => {
    early = true;
  };
  process.on('SIGHUP', () => reload());
  return {
    onHangup(callback) {
      reload = callback;
      if (early) callback();
    },
    onCrash(told) {
      const end = (error: unknown): never => {
        told(error);
        process.exit(ANSWER_IS_NO);
      };
      process.on('uncaughtException', end);
      process.on('unhandledRejection', end);
    },
    onExit: (callback) => process.on('exit', callback),
  };
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function readInput(): Promise<string> {
  let text = '';
  for await (const chunk of process.stdin.setEncoding('utf8')) text += String(chunk);
  return text;
}

function writeOut(bytes: Uint8Array): void {
  process.stdout.write(bytes);
}

function complain(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function main([name, ...argv]: string[]): Promise<number> {
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    print(USAGE);
    return name === undefined ? WRONG_USAGE : 0;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command) throw new UsageError(`there is no command "${name}"`);
  return command(argv);
}

function explainError(error: unknown): number {
  const message = error instanceof Error ? error.message : String(error);
  complain(`rackboot: ${message}`);
  if (error instanceof UsageError) {
    complain('`rackboot help` lists commands and options');
    return WRONG_USAGE;
  }
  if (error instanceof UnreachableError) return UNREACHABLE;
  if (!(error instanceof RefusedError) && process.env['RACKBOOT_TRACE'] === '1')
    complain(String((error as Error).stack));
  return ANSWER_IS_NO;
}

// `| head` closes our output: that is an end, not an error
process.stdout.on('error', () => process.exit(0));
process.exitCode = await main(process.argv.slice(2)).catch(explainError);
