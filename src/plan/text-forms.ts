import { posix } from 'node:path';
import * as z from 'zod';
import { formatCidr, netmask, parseCidr, type Cidr } from '../addr/cidr.ts';
import { parseIp4, toIp4, type Ip4 } from '../addr/ip4.ts';
import { parseIp6 } from '../addr/ip6.ts';
import { parseMac, type Mac } from '../addr/mac.ts';
import { parseRange } from '../addr/range.ts';
import { parseDuration } from './duration.ts';

/** How one kind of text is read. Every message completes the sentence "expected …". */
interface TextForm<T> {
  readonly expected: string;
  /** For editors: what the JSON Schema can say of it. `parse` has the last word. */
  readonly pattern?: RegExp;
  readonly parse: (text: string) => T | Misfit | undefined;
}

/** Text of the right shape that still will not do, and what would. */
class Misfit {
  readonly expected: string;
  constructor(expected: string) {
    this.expected = expected;
  }
}

export interface Endpoint {
  readonly address: Ip4;
  readonly port: number;
}

interface AddressAndPort {
  readonly address: Ip4;
  readonly port?: number;
}

/** A lease shorter than this keeps clients busy renewing; one longer than a year outlives the rack. */
const SHORTEST_LEASE = 60;
const LONGEST_LEASE = 365 * 86_400;
const LONGEST_QUARANTINE = 7 * 86_400;
/** One label and its dot must fit before the domain: 253 octets in all (RFC 1035 §2.3.4). */
const LONGEST_DOMAIN = 253 - 64;
/** 255 octets on the wire: each label has one for its length, and the root one more (RFC 1035 §2.3.4). */
const LONGEST_NAME = 253;
/** Bytes in `sun_path` before its NUL: the kernel takes no longer socket path. */
const LONGEST_SOCKET_PATH = 107;
/** The `file` field of a DHCP message, less its NUL (RFC 2131 §2). */
const LONGEST_LOADER_PATH = 127;
/** COMMAND_LINE_SIZE of Linux on x86, less its NUL. */
export const LONGEST_CMDLINE = 2047;

/** Slower than this, an installer's root file system takes hours. */
const SLOWEST_PACE = 64 * 1024;
const FASTEST_PACE = 10e9;
const PACE_UNITS: ReadonlyMap<string, number> = new Map([
  ['K', 1e3],
  ['M', 1e6],
  ['G', 1e9],
  ['Ki', 2 ** 10],
  ['Mi', 2 ** 20],
  ['Gi', 2 ** 30],
]);

const QUAD = String.raw`(\d{1,3}\.){3}\d{1,3}`;
const LABEL = String.raw`[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?`;
const SEGMENT = String.raw`(?!\.{1,2}(/|$))[A-Za-z0-9._+~@=,:-]+`;
const LABEL_PATTERN = new RegExp(`^${LABEL}$`);
const DOMAIN_PATTERN = new RegExp(String.raw`^${LABEL}(\.${LABEL})*\.?$`);
const ZONE_NAME_PATTERN = /^[A-Za-z0-9_/-]{1,63}(\.[A-Za-z0-9_/-]{1,63})*\.?$/;
const SERVER_NAME_PATTERN = new RegExp(String.raw`^(?!${QUAD}\.?$)${ZONE_NAME_PATTERN.source.slice(1)}`);
const SERVED_PATH_PATTERN = new RegExp(`^${SEGMENT}(/${SEGMENT})*$`);
const MAC_PREFIX_PATTERN = /^[0-9A-Fa-f]{2}([:-]?[0-9A-Fa-f]{2}){0,5}$/;
const PACE_PATTERN = /^\d{1,6}(K|M|G|Ki|Mi|Gi)B\/s$/;
const SIZE_PATTERN = /^\d{1,7}(Ki|Mi|Gi)B$/;
const CONTROL_PATTERN = /\p{Cc}/u;

export const ip4Text = textForm({
  expected: 'an IPv4 address like 192.168.127.254',
  pattern: new RegExp(`^${QUAD}$`),
  parse: parseUnicast,
});

/** Gives 16 octets, one character each, for IPv6. */
export const ipText = textForm<Ip4 | string>({
  expected: 'an IPv4 address like 192.168.127.50, or an IPv6 address like 2001:db8::50',
  pattern: new RegExp(`^(${QUAD}|[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*)$`),
  parse: (text) => (text.includes(':') ? parseUnicast6(text) : parseUnicast(text)),
});

export const cidrText = textForm({
  expected: 'an IPv4 network like 192.168.127.0/24',
  pattern: new RegExp(String.raw`^${QUAD}/\d{1,2}$`),
  parse: (text) => narrowCidr(parseCidr(text)) ?? withoutHostBits(text),
});

export const rangeText = textForm({
  expected: 'a range of addresses like 192.168.127.121-192.168.127.140, the lower one first',
  pattern: new RegExp(String.raw`^${QUAD}\s*-\s*${QUAD}$`),
  parse: parseRange,
});

export const macText = textForm({
  expected: 'a MAC address like 52:54:00:12:34:56',
  pattern: /^([0-9A-Fa-f]{2}[:-]?){5}[0-9A-Fa-f]{2}$|^[0-9A-Fa-f]{4}(\.[0-9A-Fa-f]{4}){2}$/,
  parse: (text) => oneMachine(parseMac(text)),
});

/** Gives two lower-case digits for each byte. */
export const macPrefixText = textForm({
  expected: 'the first bytes of MAC addresses like 52:54:00, at most six',
  pattern: MAC_PREFIX_PATTERN,
  parse: (text) => (MAC_PREFIX_PATTERN.test(text) ? text.replaceAll(/[:-]/g, '').toLowerCase() : undefined),
});

export const leaseText = textForm({
  expected: 'a time from 60s to 365d, written like 90s, 30m, 12h or 7d',
  pattern: /^\d{1,9}[smhd]$/,
  parse: (text) => {
    const seconds = parseDuration(text);
    return seconds !== undefined && seconds >= SHORTEST_LEASE && seconds <= LONGEST_LEASE ? seconds : undefined;
  },
});

export const quarantineText = textForm({
  expected: 'a time from 1s to 7d, written like 90s, 10m or 1h',
  pattern: /^\d{1,9}[smhd]$/,
  parse: (text) => {
    const seconds = parseDuration(text);
    return seconds !== undefined && seconds >= 1 && seconds <= LONGEST_QUARANTINE ? seconds : undefined;
  },
});

export const loopText = durationBetween('1m', '7d', '30m, 2h or 1d');

export const scanText = durationBetween('1m', '30d', '10m, 1h or 1d');

export const probeText = durationBetween('5s', '1d', '30s, 10m or 1h');

export const quietText = durationBetween('1m', '365d', '30m, 12h or 1d');

/** Gives bytes a second. */
export const paceText = textForm({
  expected: 'bytes a second from 64KiB/s to 10GB/s, written like 500KB/s, 10MB/s or 64MiB/s',
  pattern: PACE_PATTERN,
  parse: (text) => {
    const pace = parsePace(text);
    return pace !== undefined && pace >= SLOWEST_PACE && pace <= FASTEST_PACE ? pace : undefined;
  },
});

export const labelText = textForm({
  expected: 'a name of letters, digits and inner hyphens, at most 63 long',
  pattern: LABEL_PATTERN,
  parse: parseLabel,
});

export const domainText = textForm({
  expected: `a domain name like rack.example, at most ${LONGEST_DOMAIN} long`,
  pattern: DOMAIN_PATTERN,
  parse: (text) => {
    const domain = text.toLowerCase().replace(/\.$/, '');
    return DOMAIN_PATTERN.test(text) && domain.length <= LONGEST_DOMAIN ? domain : undefined;
  },
});

/** Any name a zone or key can have: underscores too, and the slash of RFC 2317; lower case, without a dot at the end. */
export const zoneNameText = textForm({
  expected: `a domain name like lab.example, at most ${LONGEST_NAME} long`,
  pattern: ZONE_NAME_PATTERN,
  parse: (text) => {
    const name = text.toLowerCase().replace(/\.$/, '');
    return ZONE_NAME_PATTERN.test(text) && name.length <= LONGEST_NAME ? name : undefined;
  },
});

/** What a certificate is checked for. TLS asks for servers by names alone (RFC 6066 §3). */
export const serverNameText = textForm({
  expected: `a domain name like dns.example.net, at most ${LONGEST_NAME} long, which the certificate is for; an address is none`,
  pattern: SERVER_NAME_PATTERN,
  parse: (text) => {
    const name = text.toLowerCase().replace(/\.$/, '');
    return SERVER_NAME_PATTERN.test(text) && name.length <= LONGEST_NAME ? name : undefined;
  },
});

/** Interface names as the kernel allows them (dev_valid_name): at most 15 bytes, no slash, colon or blank. */
export const interfaceText = textForm({
  expected: 'the name of a network interface',
  pattern: /^(?!\.{1,2}$)[^\s/:]{1,15}$/,
  parse: (text) => (/^(?!\.{1,2}$)[^\s/:]{1,15}$/.test(text) ? text : undefined),
});

export const directoryText = textForm({
  expected: 'an absolute path of a directory',
  pattern: /^\//,
  parse: parseAbsolutePath,
});

export const fileText = textForm({
  expected: 'an absolute path of a file',
  pattern: /^\//,
  parse: parseAbsolutePath,
});

/** Relative to where the config file is, or absolute; without `.` and `..` as far as that goes. */
export const nearFileText = textForm({
  expected: 'the path of a file',
  parse: (text) =>
    text === '' || text.endsWith('/') || CONTROL_PATTERN.test(text) ? undefined : posix.normalize(text),
});

export const addressOrCidrText = addressOrCidr('an IPv4 address like 192.168.127.9 or a network like 10.0.0.0/8');

/** As one form among others. */
export const clientText = addressOrCidr(
  'an IPv4 address, a network like 10.0.0.0/8, or a mapping with address and key',
);

export const targetText = addressAndPort('an IPv4 address, one with a port like 192.0.2.53:5353, or a mapping');

/** Gives seconds; 0 for off. */
export const staleText = textForm({
  expected: 'a time from 1m to 7d, written like 12h or 1d, or off',
  pattern: /^(\d{1,9}[smhd]|off)$/,
  parse: (text) => {
    const seconds = parseDuration(text) ?? 0;
    if (text === 'off') return 0;
    return seconds >= 60 && seconds <= LONGEST_QUARANTINE ? seconds : undefined;
  },
});

export const timelineAgeText = durationBetween('1h', '365d', '12h, 30d or 90d');

export const cacheSizeText = sizeBetween('1MiB', '1GiB', '32MiB');

export const timelineSizeText = sizeBetween('1MiB', '4GiB', '64MiB');

export const regionEventsText = durationBetween('1d', '3650d', '30d or 365d');

export const outboxAgeText = durationBetween('1h', '365d', '12h, 14d or 90d');

export const outboxSizeText = sizeBetween('1MiB', '64GiB', '256MiB');

/** RFC 5001 §2.3 leaves the bytes open; what can be read in `dig +nsid` is what operators want. */
export const nsidText = textForm({
  expected: 'printable text of at most 64 characters without blanks',
  pattern: /^[!-~]{1,64}$/,
  parse: (text) => (/^[!-~]{1,64}$/.test(text) ? text : undefined),
});

export const socketText = textForm({
  expected: `an absolute path of at most ${LONGEST_SOCKET_PATH} bytes`,
  pattern: /^\//,
  parse: (text) => (Buffer.byteLength(text) <= LONGEST_SOCKET_PATH ? parseAbsolutePath(text) : undefined),
});

/**
 * A file under `boot.files`. The letters are those that mean the same in a TFTP request, a URL, an iPXE script and
 * a GRUB script; no segment climbs.
 */
export const servedPathText = textForm({
  expected: 'a path under boot.files like debian/vmlinuz (letters, digits and ._+~@=,:- only, no ..)',
  pattern: SERVED_PATH_PATTERN,
  parse: (text) => (SERVED_PATH_PATTERN.test(text) ? text : undefined),
});

export const loaderText = textForm({
  expected: `the path of a loader like snponly.efi or a word like shim, at most ${LONGEST_LOADER_PATH} long, or none`,
  pattern: SERVED_PATH_PATTERN,
  parse: parseLoader,
});

/** For one machine: `none` would be the same as to say nothing. */
export const ownLoaderText = textForm({
  expected: `the path of a loader like snponly.efi or a word like shim, at most ${LONGEST_LOADER_PATH} long`,
  pattern: SERVED_PATH_PATTERN,
  parse: (text) => (text === 'none' ? undefined : parseLoader(text)),
});

export const cmdlineText = textForm({
  expected: `one line of at most ${LONGEST_CMDLINE} bytes without control characters`,
  parse: (text) => (Buffer.byteLength(text) > LONGEST_CMDLINE || CONTROL_PATTERN.test(text) ? undefined : text),
});

const STREAM_WORD = /^(\*|[A-Za-z0-9][A-Za-z0-9._+~:-]{0,127})$/;
const IMAGE_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._+~-]*\/[A-Za-z0-9][A-Za-z0-9._+~-]*(\/[A-Za-z0-9][A-Za-z0-9._+~-]*)?$/;
const SOURCE_NAME = /^[A-Za-z0-9/][A-Za-z0-9._/:-]{0,199}$/;

export const streamWordText = textForm({
  expected: 'a word like noble, or "*" for all',
  pattern: STREAM_WORD,
  parse: (text) => (STREAM_WORD.test(text) ? text : undefined),
});

/** An image by os, release and, if it matters, its kernel. */
export const imageText = textForm({
  expected: 'an image like ubuntu/noble, or ubuntu/noble/hwe-24.04 for one of its kernels',
  pattern: IMAGE_PATTERN,
  parse: (text) => {
    const [os = '', release = '', subarch] = text.split('/');
    return IMAGE_PATTERN.test(text) ? { os, release, ...(subarch !== undefined && { subarch }) } : undefined;
  },
});

export const sourceNameText = textForm({
  expected: 'a name of letters, digits and ._/:-',
  pattern: SOURCE_NAME,
  parse: (text) => (SOURCE_NAME.test(text) ? text : undefined),
});

export const sourceText = textForm({
  expected: 'a URL like https://mirror.example/images/ or file:///srv/images/, without name and password',
  pattern: /^(https?|file):\/\//,
  parse: (text) => {
    const url = URL.parse(text);
    const isKnown = url !== null && ['http:', 'https:', 'file:'].includes(url.protocol);
    if (!isKnown || url.username !== '' || url.search !== '' || url.hash !== '') return undefined;
    return url.protocol === 'file:' && url.host !== '' ? undefined : url.href;
  },
});

/** Gives it without a slash at its end. */
export const regionText = textForm({
  expected: 'a URL like https://region.example:5240, without name, password and path',
  pattern: /^https?:\/\//,
  parse: (text) => {
    const url = URL.parse(text);
    if (url === null || !['http:', 'https:'].includes(url.protocol)) return undefined;
    const isBare =
      url.pathname === '/' && url.username === '' && url.password === '' && url.search === '' && url.hash === '';
    return isBare ? url.origin : undefined;
  },
});

export const base64Text = textForm({
  expected: 'text in base64',
  parse: (text) => {
    const bare = text.replaceAll(/\s/g, '');
    return /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/.test(bare)
      ? bare
      : undefined;
  },
});

/** Gives 64 hexadecimal digits. */
export const pinText = textForm({
  expected: 'a SHA-256, as 64 hexadecimal digits or in base64',
  parse: (text) => {
    if (/^[0-9A-Fa-f]{64}$/.test(text)) return text.toLowerCase();
    return /^[A-Za-z0-9+/]{43}=?$/.test(text) ? Buffer.from(text, 'base64').toString('hex') : undefined;
  },
});

export const proxyText = textForm({
  expected: 'a URL like http://proxy.example:3128',
  pattern: /^https?:\/\//,
  parse: (text) => {
    const url = URL.parse(text);
    return url !== null && ['http:', 'https:'].includes(url.protocol) && url.host !== '' ? url.href : undefined;
  },
});

export const importIntervalText = durationBetween('5m', '30d', '30m, 6h');

export const endpointText = textForm({
  expected: 'an address and a port like 127.0.0.1:5249',
  pattern: new RegExp(String.raw`^${QUAD}:\d{1,5}$`),
  parse: parseEndpoint,
});

/** One DNS label in lower case; undefined when it is none (RFC 1123 §2.1). */
export function parseLabel(text: string): string | undefined {
  return LABEL_PATTERN.test(text) ? text.toLowerCase() : undefined;
}

export function textForm<T>({ expected, pattern, parse }: TextForm<T>) {
  return z
    .string({ error: expected })
    .transform((text, context): T => {
      const value = parse(text);
      if (value !== undefined && !(value instanceof Misfit)) return value;
      const message = value instanceof Misfit ? value.expected : expected;
      context.issues.push({ code: 'custom', message, input: text });
      return z.NEVER;
    })
    .meta(pattern ? { pattern: pattern.source } : {});
}

export function durationBetween(least: string, most: string, like: string) {
  return textForm({
    expected: `a time from ${least} to ${most}, written like ${like}`,
    pattern: /^\d{1,9}[smhd]$/,
    parse: (text) => {
      const seconds = parseDuration(text);
      const isFit = (seconds ?? 0) >= (parseDuration(least) ?? 0) && (seconds ?? 0) <= (parseDuration(most) ?? 0);
      return isFit ? seconds : undefined;
    },
  });
}

/** Gives bytes. */
function sizeBetween(least: string, most: string, like: string) {
  return textForm({
    expected: `a size from ${least} to ${most}, written like ${like}`,
    pattern: SIZE_PATTERN,
    parse: (text) => {
      const size = parseSize(text) ?? 0;
      return size >= (parseSize(least) ?? 0) && size <= (parseSize(most) ?? 0) ? size : undefined;
    },
  });
}

function parseSize(text: string): number | undefined {
  const unit = PACE_UNITS.get(SIZE_PATTERN.exec(text)?.[1] ?? '');
  return unit === undefined ? undefined : Number.parseInt(text, 10) * unit;
}

/** One address or a network; gives a network either way. */
function addressOrCidr(expected: string) {
  return textForm({
    expected,
    pattern: new RegExp(String.raw`^${QUAD}(/\d{1,2})?$`),
    parse: (text) => (text.includes('/') ? (narrowCidr(parseCidr(text)) ?? withoutHostBits(text)) : parseOwnCidr(text)),
  });
}

/** Gives the address, and the port where there is one. */
function addressAndPort(expected: string) {
  return textForm({
    expected,
    pattern: new RegExp(String.raw`^${QUAD}(:\d{1,5})?$`),
    parse: (text): AddressAndPort | Misfit | undefined => {
      const [quad = '', digits] = text.split(':', 2);
      const address = parseUnicast(quad);
      if (address === undefined || address instanceof Misfit) return address;
      return digits === undefined ? { address } : parseEndpoint(text);
    },
  });
}

function parseLoader(text: string): string | undefined {
  return SERVED_PATH_PATTERN.test(text) && text.length <= LONGEST_LOADER_PATH ? text : undefined;
}

function parsePace(text: string): number | undefined {
  const unit = PACE_UNITS.get(PACE_PATTERN.exec(text)?.[1] ?? '');
  return unit === undefined ? undefined : Number.parseInt(text, 10) * unit;
}

function parseUnicast(text: string): Ip4 | Misfit | undefined {
  const address = parseIp4(text);
  return address === undefined || isUnicast(address) ? address : new Misfit('the IPv4 address of one machine');
}

/** Not the unspecified address, nor multicast (RFC 4291 §2.5.2, §2.7). */
function parseUnicast6(text: string): string | Misfit | undefined {
  const octets = parseIp6(text);
  const isUnicast6 = octets !== undefined && /[^\0]/.test(octets) && !octets.startsWith('\xff');
  return octets === undefined || isUnicast6 ? octets : new Misfit('the IPv6 address of one machine');
}

function parseOwnCidr(text: string): Cidr | Misfit | undefined {
  const address = parseUnicast(text);
  return typeof address === 'number' ? { network: address, prefix: 32 } : address;
}

/** Not "this network" (0/8), nor multicast, reserved or broadcast (224/3). RFC 6890 §2.2.2. */
function isUnicast(address: Ip4): boolean {
  const first = address >>> 24;
  return first > 0 && first < 224;
}

function narrowCidr(cidr: Cidr | undefined): Cidr | Misfit | undefined {
  if (!cidr || (cidr.prefix >= 8 && isUnicast(cidr.network))) return cidr;
  return new Misfit('a network of /8 or smaller whose addresses machines can have');
}

function withoutHostBits(text: string): Misfit | undefined {
  const [quad = '', length = ''] = text.split('/');
  const address = parseIp4(quad);
  const prefix = Number(length);
  if (address === undefined || !/^\d{1,2}$/.test(length) || prefix > 32) return undefined;
  return new Misfit(`the network's own address, ${formatCidr({ network: toIp4(address & netmask(prefix)), prefix })}`);
}

/** The lowest bit of the first byte marks group addresses; all zeros is what blank firmware says. */
function oneMachine(mac: Mac | undefined): Mac | Misfit | undefined {
  if (mac === undefined) return undefined;
  const isGroup = Math.floor(mac / 2 ** 40) % 2 === 1;
  return isGroup || mac === 0 ? new Misfit('the MAC address of one machine, not of a group or of nobody') : mac;
}

function parseAbsolutePath(text: string): string | undefined {
  if (!posix.isAbsolute(text) || CONTROL_PATTERN.test(text)) return undefined;
  return posix.normalize(text).replace(/(?<=.)\/$/, '');
}

function parseEndpoint(text: string): Endpoint | undefined {
  const [quad = '', digits = '', ...rest] = text.split(':');
  const address = parseIp4(quad);
  const port = Number(digits);
  if (address === undefined || rest.length > 0 || !/^[1-9]\d{0,4}$/.test(digits) || port > 65_535) return undefined;
  return { address, port };
}
