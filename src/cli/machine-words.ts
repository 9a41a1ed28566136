import { parseIp4, UNSPECIFIED, type Ip4 } from '../addr/ip4.ts';
import { parseMac, writeMac, type Mac } from '../addr/mac.ts';
import { optionCode } from '../plan/option-table.ts';
import type { DhcpOption } from '../wire/dhcp/dhcp-options.ts';
import { MessageType } from '../wire/dhcp/message-type.ts';
import { OptionCode } from '../wire/dhcp/option-code.ts';
import { encodeEncapsulated } from '../wire/dhcp/options/encapsulated.ts';
import { encodeU16, encodeU8 } from '../wire/dhcp/options/integer.ts';
import { encodeIp4 } from '../wire/dhcp/options/ip4.ts';
import { encodeText } from '../wire/dhcp/options/text.ts';
import { BOOTREQUEST, BROADCAST_FLAG, type DhcpMessage } from '../wire/dhcp/packet.ts';

/** What a machine says, as written on the command line. */
export interface MachineWords {
  readonly mac?: string | undefined;
  readonly message?: string | undefined;
  readonly arch?: string | undefined;
  readonly 'vendor-class'?: string | undefined;
  readonly 'user-class'?: string | undefined;
  /** `full`, or `stripped`: one that speaks no HTTP. */
  readonly ipxe?: string | undefined;
  readonly name?: string | undefined;
  readonly requested?: string | undefined;
  readonly 'client-id'?: string | undefined;
  readonly ask?: string | undefined;
  readonly broadcast?: boolean | undefined;
  readonly relay?: string | undefined;
  readonly 'circuit-id'?: string | undefined;
  readonly 'remote-id'?: string | undefined;
  readonly 'link-selection'?: string | undefined;
  readonly uuid?: string | undefined;
  /** Each as `93=0x0007`, `60=PXEClient` or `user-class=iPXE`; goes before what the words above say of it. */
  readonly option?: readonly string[] | undefined;
}

/** A word on the command line that will not do: what was expected and found. */
export class WordsError extends Error {
  override readonly name = 'WordsError';
}

type Key = Exclude<keyof MachineWords, 'broadcast' | 'option'>;

const WORDS = [
  'mac',
  'message',
  'arch',
  'vendor-class',
  'user-class',
  'ipxe',
  'name',
  'requested',
  'client-id',
  'ask',
  'broadcast',
  'relay',
  'circuit-id',
  'remote-id',
  'link-selection',
  'uuid',
  'option',
] as const satisfies readonly (keyof MachineWords)[];

const MESSAGES: ReadonlyMap<string, MessageType | undefined> = new Map([
  ['discover', MessageType.discover],
  ['request', MessageType.request],
  ['renew', MessageType.request],
  ['rebind', MessageType.request],
  ['inform', MessageType.inform],
  ['decline', MessageType.decline],
  ['release', MessageType.release],
  ['bootp', undefined],
]);
/** RFC 2131 table 5: those that say in ciaddr which address they are about, and those that say it in option 50. */
const OF_OWN_ADDRESS: ReadonlySet<string> = new Set(['renew', 'rebind', 'inform', 'release']);
const OF_ADDRESS: ReadonlySet<string> = new Set([...OF_OWN_ADDRESS, 'request', 'decline']);
/** IANA "Processor Architecture Types" that boot by HTTP. */
const HTTP_ARCHS: ReadonlySet<number> = new Set([15, 16, 17, 18, 19, 20, 23, 24, 26, 28, 30, 38, 40]);
/** Codes in iPXE's option 175 for what it was built with: HTTP among them, or not. */
const IPXE_FEATURES: ReadonlyMap<string, readonly number[]> = new Map([
  ['full', [19, 23, 24]],
  ['stripped', [23, 24]],
]);

/** `0x0007`, or pairs with colons as relays and clients log them. */
const HEX = /^(?:0x(?:[\da-f]{2})+|[\da-f]{2}(?::[\da-f]{2})+)$/i;

/** What a machine in words would say has no place beside a capture, which says it all. Throws WordsError. */
export function refuseWords(words: MachineWords): void {
  const said = WORDS.filter((key) => isSaid(words[key]));
  if (said.length === 0) return;
  const found = said.map((key) => `--${key}`).join(', ');
  throw new WordsError(`--pcap: expected nothing of what a machine says beside it, found ${found}`);
}

function isSaid(word: MachineWords[keyof MachineWords]): boolean {
  return typeof word === 'object' ? word.length > 0 : word !== undefined && word !== false;
}

/** The packet that such a machine sends. Throws WordsError. */
export function packetOf(words: MachineWords): DhcpMessage {
  const message = words.message ?? 'discover';
  if (!MESSAGES.has(message)) throw unfit('message', `one of ${[...MESSAGES.keys()].join(', ')}`, message);
  const type = MESSAGES.get(message);
  const giaddr = addressOf(words, 'relay') ?? UNSPECIFIED;
  const requested = addressOf(words, 'requested');
  if (requested === undefined && OF_ADDRESS.has(message)) {
    throw unfit('requested', `the address that its ${message.toUpperCase()} is about`, 'none');
  }
  const isOwn = OF_OWN_ADDRESS.has(message);
  return {
    op: BOOTREQUEST,
    htype: 1,
    hlen: 6,
    hops: giaddr === UNSPECIFIED ? 0 : 1,
    xid: 0x7261636b,
    secs: 0,
    flags: words.broadcast ? BROADCAST_FLAG : 0,
    ciaddr: (isOwn ? requested : undefined) ?? UNSPECIFIED,
    yiaddr: UNSPECIFIED,
    siaddr: UNSPECIFIED,
    giaddr,
    chaddr: hardwareOf(macOf(words)),
    sname: '',
    file: '',
    options: withOptions(words, [
      ...(type === undefined ? [] : [{ code: OptionCode.messageType, value: encodeU8(type) }]),
      ...(requested === undefined || isOwn ? [] : [{ code: OptionCode.requestedAddress, value: encodeIp4(requested) }]),
      ...firmwareOptions(words),
      ...selfOptions(words),
      ...relayOption(words),
    ]),
  };
}

/** RFC 2131 §4.4.5, §4.4.6: whoever renews its lease or gives it back writes to the server alone, past any relay. Throws WordsError. */
export function writesAloneFrom(words: MachineWords): Ip4 | undefined {
  const isAlone = (words.message === 'renew' || words.message === 'release') && words.relay === undefined;
  return isAlone ? addressOf(words, 'requested') : undefined;
}

/** A netboot ROM that tells its architecture tells its vendor class too: left out here, it is made up as the ROMs write it. */
function firmwareOptions(words: MachineWords): DhcpOption[] {
  const arch = archOf(words);
  const { ipxe } = words;
  const features = ipxe === undefined ? undefined : IPXE_FEATURES.get(ipxe);
  if (ipxe !== undefined && !features) throw unfit('ipxe', 'full or stripped', ipxe);
  const vendorClass = words['vendor-class'] ?? (arch === undefined ? undefined : romClass(arch));
  const userClass = words['user-class'] ?? (features && 'iPXE');
  return [
    ...(vendorClass === undefined
      ? []
      : [{ code: OptionCode.vendorClass, value: textOf('vendor-class', vendorClass) }]),
    ...(userClass === undefined ? [] : [{ code: OptionCode.userClass, value: textOf('user-class', userClass) }]),
    ...(arch === undefined ? [] : [{ code: OptionCode.clientArch, value: encodeU16(arch) }]),
    ...(features ? [{ code: OptionCode.ipxe, value: ipxeOption(features) }] : []),
  ];
}

function romClass(arch: number): string {
  const kind = HTTP_ARCHS.has(arch) ? 'HTTPClient' : 'PXEClient';
  return `${kind}:Arch:${String(arch).padStart(5, '0')}:UNDI:003016`;
}

function ipxeOption(features: readonly number[]): Uint8Array {
  return encodeEncapsulated(features.map((code) => ({ code, value: encodeU8(1) })));
}

function selfOptions(words: MachineWords): DhcpOption[] {
  const { name, ask, uuid, 'client-id': clientId } = words;
  return [
    ...(uuid === undefined ? [] : [{ code: OptionCode.clientMachineId, value: machineIdOf(uuid) }]),
    ...(name === undefined ? [] : [{ code: OptionCode.hostName, value: textOf('name', name) }]),
    ...(clientId === undefined ? [] : [{ code: OptionCode.clientId, value: bytesOf('client-id', clientId) }]),
    ...(ask === undefined ? [] : [{ code: OptionCode.parameterList, value: wishesOf(ask) }]),
  ];
}

/** What is given by number or name stands in the place of what was made of other words. */
function withOptions({ option: written = [] }: MachineWords, made: readonly DhcpOption[]): DhcpOption[] {
  const own = new Map(written.map(writtenOption));
  const rest = made.filter(({ code }) => !own.has(code));
  return [...rest, ...Array.from(own, ([code, value]) => ({ code, value }))];
}

function writtenOption(text: string): readonly [code: number, value: Uint8Array] {
  const [, name = '', value = ''] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
  const code = optionCode(name.trim());
  const bytes = HEX.test(value) ? Buffer.from(value.replaceAll(/^0x|:/g, ''), 'hex') : Buffer.from(value);
  if (code === undefined || bytes.length === 0 || bytes.length > 255)
    throw unfit('option', 'a DHCP option by number or name and its bytes, like 93=0x0007 or user-class=iPXE', text);
  return [code, bytes];
}

/** RFC 4578 §2.3: a type of 0, then the UUID as SMBIOS keeps it, the first three fields with the lowest byte first. */
function machineIdOf(uuid: string): Uint8Array {
  const fields = /^([\da-f]{8})-([\da-f]{4})-([\da-f]{4})-([\da-f]{4})-([\da-f]{12})$/i.exec(uuid);
  if (!fields) throw unfit('uuid', 'a UUID like 4c4c4544-0042-3510-8052-b4c04f395931', uuid);
  const bytes = fields.slice(1).map((field) => Buffer.from(field, 'hex'));
  return Uint8Array.from([0, ...bytes.flatMap((field, index) => (index < 3 ? [...field].toReversed() : [...field]))]);
}

/** Option 82, as a relay adds it, or a switch that is none. */
function relayOption(words: MachineWords): DhcpOption[] {
  const { 'circuit-id': circuitId, 'remote-id': remoteId } = words;
  const link = addressOf(words, 'link-selection');
  const parts = [
    circuitId === undefined ? undefined : [1, ...sized(bytesOf('circuit-id', circuitId))],
    remoteId === undefined ? undefined : [2, ...sized(bytesOf('remote-id', remoteId))],
    link === undefined ? undefined : [5, ...sized(encodeIp4(link))],
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? [] : [{ code: OptionCode.relayAgent, value: Uint8Array.from(parts.flat()) }];
}

function sized(bytes: Uint8Array): number[] {
  return [bytes.length, ...bytes];
}

function macOf({ mac }: MachineWords): Mac {
  const parsed = mac === undefined ? undefined : parseMac(mac);
  if (parsed === undefined) throw unfit('mac', 'a MAC address like 52:54:00:12:34:56', mac ?? 'none');
  return parsed;
}

function hardwareOf(mac: Mac): Uint8Array {
  const bytes = new Uint8Array(16);
  writeMac(bytes, 0, mac);
  return bytes;
}

function archOf({ arch }: MachineWords): number | undefined {
  if (arch === undefined) return undefined;
  if (!/^\d{1,5}$/.test(arch) || Number(arch) > 65_535) throw unfit('arch', 'a number from 0 to 65535, like 7', arch);
  return Number(arch);
}

function addressOf(words: MachineWords, key: Key): Ip4 | undefined {
  const text = words[key];
  const address = text === undefined ? undefined : parseIp4(text);
  if (text !== undefined && address === undefined) throw unfit(key, 'an address like 192.168.127.254', text);
  return address;
}

/** Hex pairs with colons are bytes, as relays and clients log them; anything else is text. */
function bytesOf(key: Key, text: string): Uint8Array {
  const isHex = /^[0-9a-f]{2}(:[0-9a-f]{2})+$/i.test(text);
  const bytes = isHex ? Buffer.from(text.replaceAll(':', ''), 'hex') : Buffer.from(text);
  if (bytes.length === 0 || bytes.length > 64) throw unfit(key, '1 to 64 bytes: text, or hex like 00:04:0a', text);
  return bytes;
}

function textOf(key: Key, text: string): Uint8Array {
  if (!/^[ -~]{1,128}$/.test(text)) throw unfit(key, 'up to 128 printable ASCII characters', text);
  return encodeText(text);
}

function wishesOf(ask: string): Uint8Array {
  const codes = ask.split(',').map((word) => optionCode(word.trim()));
  if (codes.includes(undefined) || codes.length > 128) {
    throw unfit('ask', 'DHCP options by name or number with commas between, like 1,3,domain-search', ask);
  }
  return Uint8Array.from(codes.filter((code) => code !== undefined));
}

function unfit(key: Key | 'option', expected: string, found: string): WordsError {
  return new WordsError(`--${key}: expected ${expected}, found ${found === 'none' ? found : JSON.stringify(found)}`);
}
