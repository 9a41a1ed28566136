import * as z from 'zod';
import { LOADER_WORDS } from './loader-table.ts';
import { BOOT_LOCAL, EXIT_METHODS, LOADER_KINDS, type LoaderKind } from './plan.ts';
import type { Path } from './fault.ts';
import { OPTION_KINDS, printableText } from './option-forms.ts';
import { kindOf, optionCode, OPTION_NAMES } from './option-table.ts';
import { dnsSchema } from './dns-schema.ts';
import { QUIRKS, type QuirkName } from './quirk-table.ts';
import { count, list, mapping, oneOrMore, onOrOff } from './schema-shapes.ts';
import { signForm } from './sign-form.ts';
import * as form from './text-forms.ts';

/** Written for a loader that this rack has no use for. */
export const NO_LOADER = 'none';

const LOOP_BOOTS = 'a number of boots from 2 to 1000';
const PORT = 'a port number from 1 to 65535';
const ENTRY_NAME = 'a name of letters, digits and ._- that begins with a letter or digit, and is not the word local';
/** RFC 2132 §3.8: the option holds at most 255 octets, so 63 addresses. */
const MOST_NAME_SERVERS = 63;

/** RFC 2348's default, which a client that names no size gets in any case, and what a jumbo frame of 9000 holds. */
const LEAST_BLOCK = 512;
const MOST_BLOCK = 8968;
/** What one system call sends, in batches or segments. */
const MOST_WINDOW = 64;

const ARCH = 'a processor architecture from 0 to 65535 (option 93), like 7 for x64 UEFI';

/** Values are checked by `check-options.ts`, as the table of options says what each must be. */
const optionsSchema = z
  .record(z.string(), z.unknown(), { error: 'a mapping of DHCP options, by name or number, to their values' })
  .meta({
    id: 'options',
    description: `By name or number; the value may be written { kind: value }, with one of ${OPTION_KINDS.join(', ')}.`,
    properties: Object.fromEntries(OPTION_NAMES.map((name) => [name, { description: describeOption(name) }])),
  });

const alwaysSchema = list(
  z.union([z.string({ error: 'a DHCP option, by name or number' }), z.int()]),
  'a list of DHCP options, by name or number',
)
  .optional()
  .describe('Options that are sent although the client does not ask for them.');

/** One switch for each line of the table of quirks. */
const quirksSchema = mapping(
  Object.fromEntries(
    QUIRKS.map(({ name, whom, does }) => [name, onOrOff().optional().describe(`For ${whom}: ${does}.`)]),
  ) as Record<QuirkName, z.ZodOptional<ReturnType<typeof onOrOff>>>,
).meta({ id: 'quirks', description: 'Each on or off. Default: by the table in etc/quirks.md.' });

/** For machines with wishes of their own. */
const ownLoadersSchema = mapping(
  Object.fromEntries(
    LOADER_KINDS.map((kind) => [kind, form.ownLoaderText.optional().describe(loaderWords(kind))]),
  ) as Record<LoaderKind, z.ZodOptional<typeof form.ownLoaderText>>,
).meta({ id: 'loaders', description: 'First program, as in boot.loaders; of it only what is to differ.' });

const EXITS = `one of ${EXIT_METHODS.join(', ')}`;
const exitForm = z.enum(EXIT_METHODS, { error: EXITS });

export const rackSchema = mapping({
  name: form.labelText.optional().describe('Name of this rack. Default: the host name.'),
  state: form.directoryText
    .prefault('/var/lib/rackboot')
    .describe('Directory of leases, boot states and timeline. An absolute path.'),
  control: form.socketText
    .prefault('/run/rackboot/control.sock')
    .describe('Socket on which the daemon answers `rackboot status`. An absolute path.'),
});

export const subnetSchema = mapping({
  cidr: form.cidrText.describe('The IPv4 network, without host bits.'),
  interface: form.interfaceText
    .optional()
    .describe('The local interface it is on. Absent: reached only through relays.'),
  shared: form.labelText
    .optional()
    .describe('A name for the link, where several subnets are on one: the same for each of them.'),
  management: z
    .enum(['none', 'proxy', 'dhcp', 'dhcp+dns'], { error: 'one of none, proxy, dhcp, dhcp+dns' })
    .describe(
      "What this rack does there. none: nothing; proxy: boot files, beside another server's addresses; dhcp: addresses; dhcp+dns: addresses and names.",
    ),
  dynamic: form.rangeText.optional().describe('Addresses for whoever asks.'),
  static: form.rangeText.optional().describe('Addresses that known machines keep for good.'),
  pools: list(
    mapping({
      range: form.rangeText.describe('Its addresses, apart from those of dynamic, static and the other pools.'),
      class: z.string({ error: 'the name of a class' }).describe('The class of machines that gets them.'),
    }),
    'a list of pools',
  )
    .optional()
    .describe('Ranges for the machines of a class, which get from `dynamic` only when these are full.'),
  router: form.ip4Text.optional().describe('Default gateway, inside the network.'),
  broadcast: form.ip4Text.optional().describe('Broadcast address. Default: the last address of the network.'),
  dns: list(form.ip4Text, 'a list of IPv4 addresses')
    .max(MOST_NAME_SERVERS, `at most ${MOST_NAME_SERVERS} name servers`)
    .optional()
    .describe("Name servers for clients. Default: this rack's own address with dhcp+dns, otherwise none."),
  domain: form.domainText.optional().describe('Domain of the machines on this network.'),
  quarantine: form.quarantineText
    .prefault('10m')
    .describe('How long an address that a client declined, as someone else has it, is given to nobody: 1s to 7d.'),
  'conflict-check': z
    .enum(['arp', 'off'], { error: 'one of arp, off' })
    .prefault('arp')
    .describe('arp: before an address that nobody had lately is offered, ask the local link whether someone uses it.'),
  'client-id': z
    .enum(['ignore', 'use'], { error: 'one of ignore, use' })
    .prefault('ignore')
    .describe('What tells clients apart. ignore: the MAC; use: option 61 of those that send it and do not netboot.'),
  bootp: z
    .enum(['static', 'dynamic'], { error: 'one of static, dynamic' })
    .prefault('static')
    .describe('Who gets an address by BOOTP. static: hosts; dynamic: whoever asks, and for good.'),
  'rapid-commit': z
    .boolean({ error: 'true or false' })
    .prefault(false)
    .describe('An ACK at once for a client that allows it (RFC 4039). Only where no other DHCP server is.'),
  lease: form.leaseText.prefault('12h').describe('How long an address is lent: 60s to 365d.'),
  options: optionsSchema.optional().describe('DHCP options for the clients on this network.'),
  always: alwaysSchema,
});

/** As a client may send it: text bare, or behind a type of 0 (RFC 2132 §9.14); hex says all bytes. */
const clientId = signForm('a client identifier').transform(({ isText, hex }) => (isText ? [hex, `00${hex}`] : [hex]));
const circuitId = signForm('a circuit-id').transform(({ hex }) => [hex]);

export const hostSchema = mapping({
  name: form.labelText.describe('Host name, one label.'),
  mac: oneOrMore(form.macText, 'at least one MAC address')
    .optional()
    .describe('The MAC address of the machine, or a list. May be absent where client-id or circuit-id is given.'),
  'client-id': clientId
    .optional()
    .describe('The client identifier (option 61) it is known by: text, or { hex: "01:52:54:00:12:34:56" }.'),
  'circuit-id': circuitId
    .optional()
    .describe('The port it is on, as the relay names it (option 82.1): text, or { hex: "00:04:00:7f" }.'),
  address: form.ip4Text.optional().describe('Fixed address. Absent: one from the static range, kept for good.'),
  boot: z
    .string({ error: 'the name of a boot entry, or local' })
    .prefault(BOOT_LOCAL)
    .describe('A boot entry, or local: the own disk.'),
  loaders: ownLoadersSchema.optional().describe('Its first program, by firmware; goes before its classes.'),
  exit: exitForm.optional().describe('How it leaves a loader for its own disk. Default: as boot.exit says.'),
  pace: form.paceText
    .optional()
    .describe('What it is sent by HTTP at most, in bytes a second, like 10MB/s. Default: http.pace.'),
  options: optionsSchema.optional().describe('DHCP options for this machine.'),
  always: alwaysSchema,
  quirks: quirksSchema.optional().describe('What is done about its firmware; goes before its classes.'),
});

const matchKeys = {
  'vendor-class': oneOrMore(printableText, 'at least one vendor class')
    .optional()
    .describe('What option 60 begins with, like PXEClient; or a list.'),
  'user-class': oneOrMore(printableText, 'at least one user class')
    .optional()
    .describe('A user class (option 77), like iPXE; or a list.'),
  arch: oneOrMore(z.int(ARCH).min(0, ARCH).max(65_535, ARCH), 'at least one architecture')
    .optional()
    .describe('A number from option 93, like 7; or a list.'),
  'mac-prefix': oneOrMore(form.macPrefixText, 'at least one MAC prefix')
    .optional()
    .describe('What the MAC address begins with, like 52:54:00; or a list.'),
  'circuit-id': signs('a circuit-id')
    .optional()
    .describe('What the relay says of the port (option 82.1): text or { hex: bytes }; or a list.'),
  'remote-id': signs('a remote-id')
    .optional()
    .describe('What the relay says of itself or the line (option 82.2): text or { hex: bytes }; or a list.'),
};

export const classSchema = mapping({
  name: form.labelText.describe('Name of the class, one word.'),
  match: mapping(matchKeys)
    .refine((match) => Object.keys(match).length > 0, `at least one of ${Object.keys(matchKeys).join(', ')}`)
    .describe('Who belongs to it: each key must match, by one of its values.'),
  options: optionsSchema.optional().describe('DHCP options for the machines of this class.'),
  always: alwaysSchema,
  loaders: ownLoadersSchema.optional().describe('The first program of these machines, by firmware.'),
  quirks: quirksSchema.optional().describe('What is done about the firmware of these machines.'),
});

export const entrySchema = mapping({
  image: form.imageText
    .optional()
    .describe('An imported image, like ubuntu/noble or ubuntu/noble/hwe-24.04, instead of kernel, initrd and dtb.'),
  kernel: form.servedPathText.optional().describe('A path under boot.files.'),
  initrd: oneOrMore(form.servedPathText, 'at least one path')
    .optional()
    .describe('A path under boot.files, or a list in the order they are to be loaded.'),
  dtb: form.servedPathText
    .optional()
    .describe("A device tree under boot.files, for ARM boards: instead of the firmware's own. Absent: that one."),
  cmdline: form.cmdlineText
    .prefault('')
    .describe(
      'The command line of the kernel; ${mac}, ${rack}, ${name} and ${address} stand for those of the machine.',
    ),
  once: z
    .enum(['delivered', 'reported'], { error: 'one of delivered, reported' })
    .optional()
    .describe(
      'When a machine has had this entry and boots its own disk from then on. delivered: it was sent the kernel and every initrd; reported: it reported stage installed. Absent: never.',
    ),
  loop: z
    .enum(['off'], { error: 'off' })
    .optional()
    .describe('off: machines may netboot this entry without end. Absent: as boot.loop says.'),
});

export const loadersSchema = mapping({
  bios: form.loaderText.optional().describe(`Loader for x86 BIOS, or none. Default: undionly. ${loaderWords('bios')}`),
  uefi: form.loaderText
    .optional()
    .describe(`Loader for x86-64 UEFI, or none. Default: snponly. ${loaderWords('uefi')}`),
  'uefi-ia32': form.loaderText.optional().describe('Loader for 32-bit x86 UEFI. Default: none.'),
  'uefi-arm64': form.loaderText
    .optional()
    .describe(
      `Loader for 64-bit ARM UEFI and U-Boot, or none. Default: snponly or ipxe, if there. ${loaderWords('uefi-arm64')}`,
    ),
  'uefi-arm32': form.loaderText
    .optional()
    .describe('Loader for 32-bit ARM UEFI, like a grubarm.efi of grub-mknetdir. Default: none.'),
  'open-firmware': form.loaderText
    .optional()
    .describe('Loader for POWER with Open Firmware. Default: bootppc64.bin, which MAAS has as an image, if there.'),
});

const entriesSchema = z
  .record(z.string().regex(/^(?!local$)[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, ENTRY_NAME), entrySchema, {
    error: 'a mapping of names to boot entries',
  })
  .prefault({})
  .describe('What machines can boot, by name.');

const loopKeys = mapping({
  boots: z
    .int(LOOP_BOOTS)
    .min(2, LOOP_BOOTS)
    .max(1000, LOOP_BOOTS)
    .prefault(8)
    .describe('So many boots of one entry …'),
  within: form.loopText.prefault('2h').describe('… in so long are a loop: 1m to 7d.'),
  quiet: form.quietText
    .prefault('1d')
    .describe('A machine in a loop boots its own disk until it did not ask for so long: 1m to 365d.'),
});

export const bootSchema = mapping({
  default: z
    .string({ error: 'the name of a boot entry, or local' })
    .prefault(BOOT_LOCAL)
    .describe('What unknown machines boot: an entry, or local.'),
  files: form.directoryText
    .optional()
    .describe('Directory served by TFTP and HTTP. An absolute path. Default: files under rack.state.'),
  entries: entriesSchema,
  loop: z
    .union([loopKeys, z.enum(['off'], { error: 'off, or a mapping with boots, within, quiet' })])
    .prefault({})
    .describe('When a machine that netboots over and over is told to boot its own disk; or off.'),
  loaders: loadersSchema
    .prefault({})
    .describe(
      "First program for each firmware; looked up under boot.files, where `rackboot loaders install` puts them, and in Debian's packages.",
    ),
  exit: exitForm.prefault('auto').describe('How machines leave a loader for their own disk.'),
});

const WORDS = 'a list of words, or "*" for all';

function streamWords() {
  return list(form.streamWordText, WORDS).prefault(['*']);
}

const selectionSchema = mapping({
  os: form.streamWordText.prefault('*').describe('ubuntu, centos …; default: all.'),
  release: form.streamWordText.prefault('*').describe('noble, jammy …; default: all.'),
  arches: streamWords().describe('amd64, arm64 …; default: all.'),
  subarches: streamWords().describe('Kernels: generic, hwe-24.04 …; default: all.'),
  labels: streamWords().describe('stable, candidate …; default: all.'),
});

export const sourceSchema = mapping({
  name: form.sourceNameText.optional().describe('What it is called in commands. Default: host and path of the url.'),
  url: form.sourceText.describe(
    'A simplestreams mirror, http, https or file; with the path of its index if that is another.',
  ),
  keyring: form.fileText.optional().describe('The public keys of who signs it, as gpg exports them. An absolute path.'),
  'keyring-data': form.base64Text.optional().describe('The same keys themselves, in base64, instead of a file.'),
  unsigned: z
    .boolean({ error: 'true or false' })
    .prefault(false)
    .describe('true: what it says is believed without a signature.'),
  proxy: form.proxyText.optional().describe('The proxy it is reached through. Absent: none.'),
  keep: count(1, 10, 1).describe('So many versions of each image are kept: 1 to 10.'),
  selections: list(selectionSchema, 'a list of selections')
    .prefault([])
    .describe('What to import of it. Absent: all of it.'),
});

export const imagesSchema = mapping({
  sources: list(sourceSchema, 'a list of sources')
    .prefault([])
    .describe('Where images come from; what several have is taken from the first.'),
  'boot-resources': form.fileText
    .optional()
    .describe("A file of sources in MAAS's own form (bootresources.yaml), after those above. An absolute path."),
  interval: z
    .union([form.importIntervalText, z.enum(['off'])], { error: 'a time from 5m to 30d, or off' })
    .prefault('1h')
    .describe('How often to look for new versions: 5m to 30d, or off. It is also done at each start.'),
  bandwidth: form.paceText.optional().describe('What imports take at most, like 20MB/s. Default: all there is.'),
  parallel: count(1, 16, 4).describe('So many files are fetched at once: 1 to 16.'),
});

const tlsSchema = mapping({
  port: z.int(PORT).min(1, PORT).max(65_535, PORT).prefault(5250).describe('Port of HTTPS, other than http.port.'),
  certificate: form.fileText.describe('Certificate and chain, PEM. An absolute path.'),
  key: form.fileText.describe('Its private key, PEM without a passphrase. An absolute path.'),
});

export const httpSchema = mapping({
  port: z.int(PORT).min(1, PORT).max(65_535, PORT).prefault(5248).describe('Port of the boot files.'),
  pace: form.paceText
    .optional()
    .describe('What one client is sent at most, in bytes a second, like 10MB/s. Default: as fast as it takes them.'),
  tls: tlsSchema.optional().describe('The same files by HTTPS as well, for programs that check certificates.'),
});

export const tftpSchema = mapping({
  'block-size': count(LEAST_BLOCK, MOST_BLOCK, 1468).describe(
    `The largest block a client is given, ${LEAST_BLOCK} to ${MOST_BLOCK} bytes; never more than fits the path's MTU.`,
  ),
  window: count(1, MOST_WINDOW, MOST_WINDOW).describe(
    `Blocks sent before a client must acknowledge (RFC 7440): 1 to ${MOST_WINDOW}, and no more than it asks for.`,
  ),
  transfers: count(1, 20_000, 4000).describe('How many transfers may run at once: 1 to 20000.'),
  'per-client': count(1, 20_000, 1000).describe('How many of them may go to one address: 1 to 20000.'),
  'single-port': z
    .boolean({ error: 'true or false' })
    .prefault(false)
    .describe(
      'Answer from port 69 itself, for clients behind NAT or a firewall, and not from a port for each transfer.',
    ),
});

export const adminSchema = mapping({
  listen: form.endpointText.prefault('127.0.0.1:5249').describe('Where the operator plane listens: address:port.'),
});

export const logSchema = mapping({
  level: z
    .enum(['debug', 'info', 'warn', 'error'], { error: 'one of debug, info, warn, error' })
    .prefault('info')
    .describe('The least important message that is logged.'),
});

export const timelineSchema = mapping({
  age: form.timelineAgeText.prefault('30d').describe('Events older than that are forgotten: 1h to 365d.'),
  size: form.timelineSizeText
    .prefault('64MiB')
    .describe('What the events may take on disk; the oldest make room: 1MiB to 4GiB.'),
});

const watchSchema = mapping({
  scan: z
    .union([form.scanText, z.enum(['off'])], { error: 'a time from 1m to 30d, or off' })
    .prefault('off')
    .describe('How often every address of the local subnets is asked for by ARP: 1m to 30d, or off.'),
  'used-addresses': z
    .enum(['avoid', 'offer'], { error: 'one of avoid, offer' })
    .prefault('avoid')
    .describe(
      'avoid: an address that some machine is seen to use although nobody lent it is offered to nobody else, up to three quarters of a range.',
    ),
  'dhcp-servers': list(form.ip4Text, 'a list of IPv4 addresses')
    .prefault([])
    .describe('DHCP servers and relays that may be there beside this rack: others are shouted about.'),
  'dhcp-probe': z
    .union([form.probeText, z.enum(['off'])], { error: 'a time from 5s to 1d, or off' })
    .prefault('10m')
    .describe('How often other DHCP servers are asked for, so that silent ones are found too: 5s to 1d, or off.'),
});

/** Where the region is that this rack follows and reports to. */
export const regionSchema = mapping({
  url: oneOrMore(form.regionText, 'at least one URL').describe(
    'Where the region answers, like https://region.example:5240, where `rackboot region` listens (without a port: 443, or 80 for http); or a list, of which the next is asked when one fails.',
  ),
  credentials: form.fileText
    .optional()
    .describe(
      'What `rackboot enrol` writes: who this rack is. An absolute path. Default: region.key under rack.state.',
    ),
  ca: form.fileText
    .optional()
    .describe('Certificates that may vouch for it, PEM. An absolute path. Default: those the system trusts.'),
  pin: oneOrMore(form.pinText, 'at least one SHA-256')
    .optional()
    .describe(
      "SHA-256 of its certificate's public key (SPKI), in hex or base64; or a list. Then nobody else need vouch for it.",
    ),
  outbox: mapping({
    size: form.outboxSizeText.prefault('256MiB').describe('On disk: 1MiB to 64GiB.'),
    age: form.outboxAgeText.prefault('14d').describe('1h to 365d.'),
  })
    .prefault({})
    .describe('What waits for a region that is away; past either bound the oldest is given up.'),
});

/** The whole file: types, messages and the JSON Schema all come from here. */
export const configSchema = mapping({
  rack: rackSchema.prefault({}).describe('This rack.'),
  region: regionSchema
    .optional()
    .describe('The region it follows and reports to. Absent: this file is the whole truth.'),
  subnets: list(subnetSchema, 'a list of subnets')
    .prefault([])
    .describe('The networks it serves. May be absent only where `region` is given.'),
  hosts: list(hostSchema, 'a list of hosts').prefault([]).describe('Machines with wishes of their own.'),
  options: optionsSchema.optional().describe('DHCP options for all clients.'),
  always: alwaysSchema,
  classes: list(classSchema, 'a list of classes').prefault([]).describe('Options for machines by what they say.'),
  boot: bootSchema.prefault({}).describe('What machines boot.'),
  images: imagesSchema.prefault({}).describe('Images: what is imported, and from where.'),
  http: httpSchema.prefault({}).describe('Boot plane: boot files and nothing else.'),
  tftp: tftpSchema.prefault({}).describe('How boot files are sent by TFTP.'),
  dns: dnsSchema.prefault({}).describe('Zones from files, secondaries, and the forwarding of other names.'),
  watch: z
    .union([
      watchSchema,
      z.enum(['off'], { error: 'off, or a mapping with scan, used-addresses, dhcp-servers, dhcp-probe' }),
    ])
    .prefault({})
    .describe('Who is on the wires of local subnets: neighbours, conflicts, DHCP servers of others; or off.'),
  admin: adminSchema.prefault({}).describe('Operator plane.'),
  log: logSchema.prefault({}).describe('The log on standard output.'),
  timeline: timelineSchema.prefault({}).describe('What is kept of what happened.'),
});

/** JSON Schema of the file as an operator writes it, for editors. */
export function configJsonSchema(): object {
  return { title: 'rackboot.yaml', ...z.toJSONSchema(configSchema, { io: 'input', target: 'draft-7' }) };
}

/** The keys that the mapping at this path may have. `root`: of the whole file, by default the rack's. */
export function keysAt(path: Path, root: z.ZodType = configSchema): readonly string[] {
  const found = bare(schemaAt(path, root));
  return found instanceof z.ZodObject ? Object.keys(found.shape) : [];
}

/** What the value at this path must be; undefined where there is none. */
export function schemaAt(path: Path, root: z.ZodType = configSchema): z.ZodType | undefined {
  let schema: unknown = root;
  for (const step of path) {
    const holder = bare(schema);
    if (holder instanceof z.ZodObject) schema = Object.hasOwn(holder.shape, step) ? holder.shape[step] : undefined;
    else if (holder instanceof z.ZodArray) schema = holder.element;
    else if (holder instanceof z.ZodRecord) schema = holder.valueType;
    else return undefined;
  }
  return schema instanceof z.ZodType ? schema : undefined;
}

/** Of several forms that a value may have, the mapping. */
function bare(schema: unknown): unknown {
  if (schema instanceof z.ZodPipe) return bare(schema.in);
  if (schema instanceof z.ZodUnion) return schema.options.map(bare).find((each) => each instanceof z.ZodObject);
  return schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional ? bare(schema.unwrap()) : schema;
}

function loaderWords(kind: LoaderKind): string {
  const words = Object.keys(LOADER_WORDS[kind]);
  return words.length === 0 ? 'A path.' : `A path, or ${words.join(', ')}.`;
}

function describeOption(name: string): string {
  const code = optionCode(name) ?? 0;
  return `Option ${code}, ${kindOf(code)}.`;
}

/** Gives the bytes of each, as hex. */
function signs(what: string) {
  return oneOrMore(signForm(what), `at least ${what.replace(/^a /, 'one ')}`).transform((all) =>
    all.map(({ hex }) => hex),
  );
}
