import type { Cidr } from '../addr/cidr.ts';
import type { Ip4 } from '../addr/ip4.ts';
import type { Mac } from '../addr/mac.ts';
import type { Range } from '../addr/range.ts';
import type { OptionSetting } from './option-value.ts';
import type { QuirkSwitches } from './quirk-table.ts';

/**
 * The whole checked picture of what this rack serves: plain data, frozen, the same for every service.
 * Made by `compilePlan`; a thread gets its own structured clone.
 */
export interface Plan {
  readonly rack: RackSettings;
  readonly subnets: readonly Subnet[];
  /** Interfaces without a subnet on which relays are heard; absent where all subnets are local, or none is. */
  readonly relayInterfaces?: readonly string[];
  readonly hosts: readonly Host[];
  readonly boot: BootCatalogue;
  /** Where boot files are served by HTTP, on every local address of a managed subnet. */
  readonly http: HttpSettings;
  /** Where images come from, and where they are. Absent: there are none. */
  readonly images?: ImageSettings;
  /** How boot files are sent by TFTP. */
  readonly tftp: TftpSettings;
  /** What is answered by DNS beside the names of the subnets, and to whom. */
  readonly dns: DnsSettings;
  /** The operator's plane: the same answers as the control socket. */
  readonly admin: { readonly address: Ip4; readonly port: number };
  readonly log: { readonly level: LogLevel };
  readonly timeline: TimelineSettings;
  /** Who is followed and reported to; absent: nobody. */
  readonly region?: RegionSettings;
  /** What is looked for on the wires of local subnets; absent: nothing. */
  readonly watch?: WatchSettings;
  /** DHCP options for every client; those of its subnet, its classes and its host come before them, in rising order. */
  readonly options?: OptionWishes;
  /** In file order: of two that match, the later one comes before the earlier. */
  readonly classes?: readonly ClientClass[];
}

/** How much of what happened is kept: the newest, within both bounds. */
interface TimelineSettings {
  readonly ageSeconds: number;
  /** Of the file, roughly. */
  readonly bytes: number;
}

/** Whom we take for the region. */
export interface RegionTrust {
  /** Absolute path of certificates that may vouch for it, PEM; absent: those the system trusts. */
  readonly ca?: string;
  /** SHA-256 of public keys (SPKI), hex, one of which it must have; then nobody need vouch for it, and dates count for nothing. */
  readonly pins?: readonly string[];
}

export interface RegionSettings extends RegionTrust {
  /** http or https, without a slash at the end; the next is asked when one fails. */
  readonly urls: readonly string[];
  /** Absolute path of the file that says who this rack is. */
  readonly credentials: string;
  /** What may wait for it while it is away. */
  readonly outbox: { readonly bytes: number; readonly seconds: number };
}

export interface WatchSettings {
  /** How often all addresses of the local subnets are asked for; absent: when asked to. */
  readonly scanSeconds?: number;
  /** An address that is seen in use and is lent to nobody is given to nobody. */
  readonly avoidsUsed: boolean;
  /** DHCP servers and relays that may be on the wires beside this rack. */
  readonly dhcpServers: readonly Ip4[];
  /** How often other DHCP servers are asked for, in the name of a machine that there is not. Absent: never. */
  readonly dhcpProbe?: { readonly seconds: number; readonly mac: Mac };
}

export interface HttpSettings {
  readonly port: number;
  /** Bytes a second that one client is sent at most; absent: as fast as it takes them. */
  readonly pace?: number;
  /** Where the same files are served by HTTPS. */
  readonly tls?: TlsSettings;
}

export interface ImageSettings {
  /** Absolute path of the directory whose files are each called by their sha256, and served under /images/<sha256>/. */
  readonly shelf: string;
  /** In the order in which they are asked: of what several have, the first gives it. */
  readonly sources: readonly ImageSource[];
  /** Absolute path of a file of more sources, as MAAS has them. */
  readonly bootResources?: string;
  /** How often to look for new versions; absent: when asked to, and at each start. */
  readonly intervalSeconds?: number;
  /** Bytes a second that imports take at most. */
  readonly bandwidth?: number;
  /** Files fetched at once. */
  readonly parallel: number;
}

export interface ImageSource {
  readonly name: string;
  /** http, https or file; a directory, or the index itself. */
  readonly url: string;
  /** Absolute path of the keys of who signs it; absent: it is believed without. */
  readonly keyring?: string;
  /** The keys themselves, base64. */
  readonly keyringData?: string;
  readonly proxy?: string;
  /** It is the region's own: who is taken for the region is taken for it. */
  readonly trust?: RegionTrust;
  /** Versions of each image. */
  readonly keep: number;
  /** Empty: all of it. */
  readonly selections: readonly ImageSelection[];
}

/** In each, `*` stands for all. */
export interface ImageSelection {
  readonly os: string;
  readonly release: string;
  readonly arches: readonly string[];
  readonly subarches: readonly string[];
  readonly labels: readonly string[];
}

export interface TlsSettings {
  readonly port: number;
  /** Absolute paths of PEM files; only the services read what is in them. */
  readonly certificate: string;
  readonly key: string;
}

export interface DnsSettings {
  /** Beside the rack's own; none is one of these or inside one. */
  readonly zones: readonly ZoneSettings[];
  /** What the rack's own zones are of beside the domains of its subnets; lower case, without a dot at the end. */
  readonly domains: readonly string[];
  /** Each name once, in file order: of two that have one address, the first is what that is called. */
  readonly names: readonly WrittenName[];
  /** Each name once. */
  readonly keys: readonly TsigKeySettings[];
  /** Who may have the rack's own zones whole (RFC 5936, RFC 1995). */
  readonly transfer: readonly AclEntry[];
  /** Who is told when one of these changed (RFC 1996). */
  readonly notify: readonly NotifyTarget[];
  /** Where names outside all zones are asked for; empty where that is refused, but for `routes`. */
  readonly forward: readonly Upstream[];
  /** Of two whose domain holds a name, the longer one counts. */
  readonly routes: readonly ForwardRoute[];
  /** Who may have names forwarded beside the rack's own subnets. */
  readonly allow: readonly Cidr[];
  readonly cache: CacheSettings;
  /** Absent: clients get all the answers they ask for. */
  readonly rateLimit?: RateLimit;
  /** Threads that answer by UDP, from 1. */
  readonly threads: number;
  /** What this server calls itself (RFC 5001). */
  readonly nsid: string;
  /** Each question is an event. */
  readonly queryLog: boolean;
}

/** A zone that the operator wrote. */
export interface ZoneSettings {
  /** Lower case, without a dot at the end. */
  readonly name: string;
  /** Absolute path of the master file; absent where it lives of updates alone. */
  readonly file?: string;
  /** Who may change it (RFC 2136). */
  readonly update: readonly AclEntry[];
  readonly transfer: readonly AclEntry[];
  readonly notify: readonly NotifyTarget[];
}

/** A name in one of the rack's own zones that no machine has: with addresses, or an alias, which has none. */
export interface WrittenName {
  /** Lower case, without a dot at the end. */
  readonly name: string;
  readonly ttlSeconds: number;
  readonly addresses: readonly Ip4[];
  /** IPv6: 16 octets each, one character an octet. */
  readonly addresses6: readonly string[];
  /** The name it stands for, ours or not. */
  readonly alias?: string;
}

/** A key that messages are signed by (RFC 8945). The secret is for the service that reads its file. */
export interface TsigKeySettings {
  /** A domain name, lower case, without a dot at the end. */
  readonly name: string;
  readonly algorithm: TsigAlgorithm;
  /** Absolute path. */
  readonly secretFile: string;
}

export const TSIG_ALGORITHMS = ['hmac-sha256', 'hmac-sha384', 'hmac-sha512'] as const;
type TsigAlgorithm = (typeof TSIG_ALGORITHMS)[number];

/** Who may do something; where both are there, both must hold. One of them is. */
export interface AclEntry {
  readonly cidr?: Cidr;
  /** The name of one of `keys`. */
  readonly key?: string;
}

export interface NotifyTarget {
  readonly address: Ip4;
  readonly port: number;
  /** The name of one of `keys`, by which what is sent is signed. */
  readonly key?: string;
}

/** A resolver that is asked for what this rack does not know. */
export interface Upstream {
  readonly address: Ip4;
  readonly port: number;
  /** It is asked over TLS, and must have a certificate for this name (RFC 8310). */
  readonly tls?: string;
  /** Absolute path of the certificates, PEM, that may vouch for it; absent: those the system trusts. */
  readonly ca?: string;
}

export interface ForwardRoute {
  /** Lower case, without a dot at the end. */
  readonly domain: string;
  readonly forward: readonly Upstream[];
}

export interface CacheSettings {
  readonly sizeBytes: number;
  /** How long after its end an answer is given while no upstream answers (RFC 8767); 0: never. */
  readonly staleSeconds: number;
  /** Names that are asked for are fetched anew before they end. */
  readonly prefetch: boolean;
  readonly leastTtlSeconds: number;
  readonly mostTtlSeconds: number;
}

/** Of responses to one /24 outside our subnets. */
export interface RateLimit {
  /** A second. */
  readonly responses: number;
  /** How long a burst is remembered. */
  readonly windowSeconds: number;
  /** Every so-maniest that is over is answered, truncated, so that a real client asks by TCP; 0: none. */
  readonly slip: number;
}

/** DHCP options for some clients. */
export interface OptionWishes {
  /** Each code once. */
  readonly settings: readonly OptionSetting[];
  /** Codes of options that these clients are sent although they did not ask. */
  readonly always: readonly number[];
}

/** Clients that have something in common. */
export interface ClientClass {
  readonly name: string;
  readonly match: ClassMatch;
  readonly options: OptionWishes;
  readonly quirks?: QuirkSwitches;
  /** Go before those of the catalogue. */
  readonly loaders?: Loaders;
}

/** A client matches when each key that is there matches; a key does when one of its values does. */
export interface ClassMatch {
  /** Beginnings of option 60. */
  readonly vendorClasses?: readonly string[];
  /** Whole user classes (option 77, RFC 3004 or bare text). */
  readonly userClasses?: readonly string[];
  /** Option 93. */
  readonly archs?: readonly number[];
  /** Beginnings of the MAC address: hex digits, two for each byte. */
  readonly macPrefixes?: readonly string[];
  /** Whole sub-options 1 of option 82: hex digits. */
  readonly circuitIds?: readonly string[];
  /** Whole sub-options 2 of option 82: hex digits. */
  readonly remoteIds?: readonly string[];
}

/** What a client may ask for is cut to these. */
export interface TftpSettings {
  /** Octets of file in one DATA, at most; the path's MTU may allow less. */
  readonly blockSize: number;
  /** Blocks sent before an ACK is awaited, at most. */
  readonly window: number;
  /** Transfers at once, in all and to one address. */
  readonly transfers: number;
  readonly perClient: number;
  /** Every answer leaves from port 69. */
  readonly singlePort: boolean;
}

type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface RackSettings {
  readonly name: string;
  /** Directory of leases and timeline. */
  readonly state: string;
  /** Path of the control socket. */
  readonly control: string;
}

/** `proxy`: another server gives the addresses, this one says what to boot. */
type Management = 'none' | 'proxy' | 'dhcp' | 'dhcp+dns';

export interface Subnet {
  readonly cidr: Cidr;
  /** The local interface this subnet is on; absent when it is reached only through relays. */
  readonly interface?: string;
  /** This rack's own address on that interface, inside the subnet. */
  readonly rackAddress?: Ip4;
  readonly management: Management;
  /** The shared network it belongs to: all subnets with this name are on one link. */
  readonly shared?: string;
  readonly dynamic?: Range;
  readonly static?: Range;
  /** Addresses for the machines of a class, in file order. */
  readonly pools?: readonly ClassPool[];
  readonly router?: Ip4;
  readonly broadcast: Ip4;
  /** Name servers handed to clients: as written, else this rack itself where it serves names, else none. */
  readonly dns: readonly Ip4[];
  /** Lower case, without a dot at the end. */
  readonly domain?: string;
  readonly leaseSeconds: number;
  readonly options?: OptionWishes;
  /** How long an address that a client declined is given to nobody. Default: ten minutes. */
  readonly quarantineSeconds?: number;
  /** Whether an address that nobody had lately is asked for by ARP before it is offered, on a local link. Default: arp. */
  readonly conflictCheck?: 'arp' | 'off';
  /** What tells clients apart: the MAC alone, or for those past netboot their client identifier. Default: ignore. */
  readonly clientId?: 'ignore' | 'use';
  /** Who gets an address by BOOTP, the protocol before DHCP: hosts only, or whoever asks. Default: hosts. */
  readonly bootp?: 'static' | 'dynamic';
  /** A DISCOVER that allows it is answered with an ACK at once (RFC 4039). */
  readonly rapidCommit?: boolean;
}

/** A range that only machines of a class are given from; nobody, while that class has a fault. */
export interface ClassPool {
  readonly range: Range;
  /** The name of the class. */
  readonly class: string;
}

/** A machine written down, with its wishes. */
export interface Host {
  /** One DNS label, lower case. */
  readonly name: string;
  /** May be empty where it is known by another sign. */
  readonly macs: readonly Mac[];
  /** Values of option 61 it is known by, as lower-case hex. */
  readonly clientIds?: readonly string[];
  /** Values of the relay's circuit-id (RFC 3046 §3.1) it is known by, as lower-case hex. */
  readonly circuitIds?: readonly string[];
  /** Absent: one from the static range of the subnet it appears on, kept for good. */
  readonly address?: Ip4;
  /** The name of a boot entry, or `local`. */
  readonly boot: string;
  /** Bytes a second that it is sent by HTTP at most; goes before `http.pace`. */
  readonly pace?: number;
  readonly options?: OptionWishes;
  readonly quirks?: QuirkSwitches;
  /** Go before those of its classes and of the catalogue. */
  readonly loaders?: Loaders;
  /** How it leaves the loader for its own disk. Default: as the catalogue says. */
  readonly exit?: ExitMethod;
}

/** The word in `boot:` that means "boot the machine's own disk". */
export const BOOT_LOCAL = 'local';

export interface BootCatalogue {
  /** Absolute path of the directory whose files are served under `/` by TFTP and HTTP. */
  readonly files: string;
  /** What an unknown machine boots: the name of an entry, or `local`. */
  readonly default: string;
  /** `default` is not what the file says: a host there can't be told from an unknown machine. */
  readonly isDefaultHeld?: true;
  readonly entries: readonly BootEntry[];
  /** When a machine counts as netbooting over and over; absent: never. */
  readonly loop?: LoopLimits;
  /** The first program each kind of firmware fetches; one that was not found on disk is absent. */
  readonly loaders: Loaders;
  /** How a machine leaves the loader for its own disk. Default: auto. */
  readonly exit?: ExitMethod;
}

/**
 * `auto`: what mostly works for the loader and the firmware. `exit`: back to the firmware, as if all were well; `exit-1`: as if
 * it had failed, so that the firmware goes on to its next boot option. `sanboot`: the first BIOS disk. `chain`: the first of
 * the well-known EFI programs on any disk. A loader that can't do it does what comes nearest.
 */
export const EXIT_METHODS = ['auto', 'exit', 'exit-1', 'sanboot', 'chain'] as const;
export type ExitMethod = (typeof EXIT_METHODS)[number];

/** The kinds of firmware that need a loader each: x86 BIOS, UEFI of x86-64, 32-bit x86 and either ARM, and POWER's Open Firmware. */
export const LOADER_KINDS = ['bios', 'uefi', 'uefi-ia32', 'uefi-arm64', 'uefi-arm32', 'open-firmware'] as const;
export type LoaderKind = (typeof LOADER_KINDS)[number];
export type Loaders = Readonly<Partial<Record<LoaderKind, Loader>>>;

/** The first program a machine fetches, and what that one then fetches from its own folder. */
export interface Loader extends BootFile {
  readonly companions?: readonly BootFile[];
}

/** A machine that netboots one entry so often within so long boots its disk, until it did not ask for `quietSeconds`. */
export interface LoopLimits {
  readonly boots: number;
  readonly withinSeconds: number;
  readonly quietSeconds: number;
}

/** What ends the netbooting of a machine: that it was sent all files, or that it says itself that it is installed. */
export type Once = 'delivered' | 'reported';

/** What a machine is given to boot. */
export interface BootFiles {
  readonly kernel: BootFile;
  readonly initrd: readonly BootFile[];
  /** A device tree in the place of the firmware's own, for loaders that can hand one over; the others boot without. */
  readonly dtb?: BootFile;
  readonly cmdline: string;
}

/** The architectures other than x86 that an image may be here for, as Debian calls them. */
export const OTHER_ARCHES = ['arm64', 'armhf', 'ppc64el'] as const;
export type OtherArch = (typeof OTHER_ARCHES)[number];

export interface BootEntry extends BootFiles {
  readonly name: string;
  /** Of an image that is here for several architectures: what each gets that does not get the files of the entry itself. */
  readonly others?: Readonly<Partial<Record<OtherArch, BootFiles>>>;
  /** From then on a machine boots its own disk; absent: it netboots this entry each time. */
  readonly once?: Once;
  /** However often a machine netboots it, that is no loop. */
  readonly isEndless?: true;
}

/** A file a machine may fetch. */
export interface BootFile {
  /** Served path, relative, with `/` between segments: `debian/vmlinuz`. */
  readonly path: string;
  /** Absolute path on disk. */
  readonly file: string;
}
