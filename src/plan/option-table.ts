import type { OptionKind } from './option-value.ts';

/**
 * What options are called in the file and what their values are (IANA "BOOTP Vendor Extensions and DHCP Options"). RFC 2132
 * where nothing is said. An option that is not here goes by its number and a written kind.
 */
const ENTRIES: Readonly<Record<string, readonly [code: number, kind: OptionKind]>> = {
  routers: [3, 'ip4-list'],
  'time-servers': [4, 'ip4-list'],
  'ien116-name-servers': [5, 'ip4-list'],
  'domain-name-servers': [6, 'ip4-list'],
  'log-servers': [7, 'ip4-list'],
  'cookie-servers': [8, 'ip4-list'],
  'lpr-servers': [9, 'ip4-list'],
  'impress-servers': [10, 'ip4-list'],
  'resource-location-servers': [11, 'ip4-list'],
  'boot-file-size': [13, 'u16'],
  'merit-dump': [14, 'text'],
  'domain-name': [15, 'text'],
  'swap-server': [16, 'ip4'],
  'root-path': [17, 'text'],
  'extensions-path': [18, 'text'],
  'ip-forwarding': [19, 'boolean'],
  'non-local-source-routing': [20, 'boolean'],
  'max-datagram-reassembly': [22, 'u16'],
  'default-ip-ttl': [23, 'u8'],
  'path-mtu-aging-timeout': [24, 'duration'],
  'interface-mtu': [26, 'u16'],
  'all-subnets-local': [27, 'boolean'],
  'perform-mask-discovery': [29, 'boolean'],
  'mask-supplier': [30, 'boolean'],
  'perform-router-discovery': [31, 'boolean'],
  'router-solicitation-address': [32, 'ip4'],
  'trailer-encapsulation': [34, 'boolean'],
  'arp-cache-timeout': [35, 'duration'],
  'ieee802-3-encapsulation': [36, 'boolean'],
  'default-tcp-ttl': [37, 'u8'],
  'tcp-keepalive-interval': [38, 'duration'],
  'tcp-keepalive-garbage': [39, 'boolean'],
  'nis-domain': [40, 'text'],
  'nis-servers': [41, 'ip4-list'],
  'ntp-servers': [42, 'ip4-list'],
  'vendor-encapsulated-options': [43, 'suboptions'],
  'netbios-name-servers': [44, 'ip4-list'],
  'netbios-dd-servers': [45, 'ip4-list'],
  'netbios-node-type': [46, 'u8'],
  'netbios-scope': [47, 'text'],
  'font-servers': [48, 'ip4-list'],
  'x-display-managers': [49, 'ip4-list'],
  'vendor-class-identifier': [60, 'text'],
  'nisplus-domain': [64, 'text'],
  'nisplus-servers': [65, 'ip4-list'],
  'tftp-server-name': [66, 'text'],
  'boot-file-name': [67, 'text'],
  'mobile-ip-home-agents': [68, 'ip4-list'],
  'smtp-servers': [69, 'ip4-list'],
  'pop-servers': [70, 'ip4-list'],
  'nntp-servers': [71, 'ip4-list'],
  'www-servers': [72, 'ip4-list'],
  'finger-servers': [73, 'ip4-list'],
  'irc-servers': [74, 'ip4-list'],
  'streettalk-servers': [75, 'ip4-list'],
  'streettalk-directory-servers': [76, 'ip4-list'],
  // RFC 4833
  'posix-timezone': [100, 'text'],
  'tz-name': [101, 'text'],
  // RFC 8925
  'v6-only-preferred': [108, 'duration'],
  // RFC 8910
  'captive-portal': [114, 'text'],
  // RFC 2563
  'auto-configure': [116, 'u8'],
  // RFC 3397
  'domain-search': [119, 'domain-list'],
  // RFC 3442
  'classless-routes': [121, 'routes'],
  // RFC 5417
  'capwap-ac-addresses': [138, 'ip4-list'],
  // RFC 5859
  'tftp-server-address': [150, 'ip4-list'],
  // RFC 5071
  'pxelinux-magic': [208, 'hex'],
  'pxelinux-config-file': [209, 'text'],
  'pxelinux-path-prefix': [210, 'text'],
  'pxelinux-reboot-time': [211, 'duration'],
  // Microsoft's number for 121, which Windows XP and Server 2003 ask for
  'ms-classless-routes': [249, 'routes'],
  // Web proxy auto-discovery, never an RFC
  wpad: [252, 'text'],
};

const BY_CLIENTS = 'it is what clients say, not servers';
const BY_EXCHANGE = 'it belongs to the exchange of messages';
/** Options that the file can not set, and why. */
const UNSETTABLE: ReadonlyMap<number, string> = new Map([
  [1, 'it follows from `cidr` of the subnet'],
  [12, 'it is the name of the host or lease'],
  [28, 'it is `broadcast` of the subnet'],
  [50, BY_CLIENTS],
  [51, 'it is `lease` of the subnet'],
  [52, BY_EXCHANGE],
  [53, BY_EXCHANGE],
  [54, "it is the rack's own address"],
  [55, BY_CLIENTS],
  [56, BY_EXCHANGE],
  [57, BY_CLIENTS],
  [58, 'it is half of `lease` of the subnet'],
  [59, 'it is seven eighths of `lease` of the subnet'],
  [61, BY_CLIENTS],
  [77, BY_CLIENTS],
  [80, BY_EXCHANGE],
  [81, 'it is the name of the host or lease'],
  [82, 'it belongs to the relay, which gets back its own'],
  [90, BY_EXCHANGE],
  [93, BY_CLIENTS],
  [94, BY_CLIENTS],
  [97, BY_CLIENTS],
  [118, BY_CLIENTS],
]);

/** Options that come from elsewhere in the file, so that `always` may name them too. */
const FROM_SETTINGS: Readonly<Record<string, number>> = {
  'host-name': 12,
  'broadcast-address': 28,
  'renewal-time': 58,
  'rebinding-time': 59,
};

/** Names of the options that can not be set, for whoever tries. */
const UNSETTABLE_NAMES: Readonly<Record<string, number>> = {
  ...FROM_SETTINGS,
  'subnet-mask': 1,
  'requested-address': 50,
  'lease-time': 51,
  'option-overload': 52,
  'message-type': 53,
  'server-identifier': 54,
  'parameter-request-list': 55,
  message: 56,
  'max-message-size': 57,
  'client-identifier': 61,
  'user-class': 77,
  'rapid-commit': 80,
  'client-fqdn': 81,
  'relay-agent-information': 82,
  'client-arch': 93,
};

const KINDS: ReadonlyMap<number, OptionKind> = new Map(Object.values(ENTRIES));
const NAMES: ReadonlyMap<number, string> = new Map([
  ...Object.entries(ENTRIES).map(([name, [code]]) => [code, name] as const),
  ...Object.entries(UNSETTABLE_NAMES).map(([name, code]) => [code, name] as const),
]);

/** Every name that an option can be set by. */
export const OPTION_NAMES: readonly string[] = Object.keys(ENTRIES);

/** The number of "ntp-servers" or "42", 1 to 254; undefined for neither. */
export function optionCode(key: string): number | undefined {
  const named = Object.hasOwn(ENTRIES, key) ? ENTRIES[key]?.[0] : undefined;
  if (named !== undefined) return named;
  if (Object.hasOwn(UNSETTABLE_NAMES, key)) return UNSETTABLE_NAMES[key];
  return /^[1-9]\d{0,2}$/.test(key) && Number(key) < 255 ? Number(key) : undefined;
}

/** "ntp-servers"; "224" for an option without a name. */
export function optionName(code: number): string {
  return NAMES.get(code) ?? String(code);
}

/** What the value of this option is; undefined for one that is known by its number only. */
export function kindOf(code: number): OptionKind | undefined {
  return KINDS.get(code);
}

/** Why the file can not set this option; undefined when it can. */
export function whyUnsettable(code: number): string | undefined {
  return UNSETTABLE.get(code);
}

/** Whether a server may be told to send this option unasked: it can be set, or comes from a setting. */
export function mayBeForced(code: number): boolean {
  return !UNSETTABLE.has(code) || Object.values(FROM_SETTINGS).includes(code);
}
