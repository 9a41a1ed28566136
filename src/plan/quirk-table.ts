/**
 * What firmware gets wrong about DHCP, and what is done about it: the one table of it, as data. `quirksOf` in boot reads
 * it for a client, the DHCP service does what it says, and a host or class of the file may switch each line by its name.
 * `etc/quirks.md` is this table for people, with the test of each line.
 */

/** What is done for a client; all that apply are laid over each other, in the order of the table. */
export interface QuirkEffects {
  /** Option 67 ends in NUL. */
  readonly bootFileNul?: true;
  /** The boot file is also in the header's field `file`, unless it is too long for it. */
  readonly bootFileInHeader?: true;
  /** Option 60 of a reply that offers a boot server. */
  readonly vendorClass?: 'PXEClient' | 'HTTPClient';
  /** Option 43 of a reply that offers a boot server, as hex digits. */
  readonly vendorOptions?: string;
  /** Option 97 goes back to the client, if it is a GUID (RFC 4578 §2.3). */
  readonly echoMachineId?: true;
  /** The client is taken for one of this architecture. */
  readonly readAs?: number;
  /** An iPXE gets a loader and not the script. */
  readonly loaderForIpxe?: true;
  /** `url`: the loader by HTTP. `none`: no boot file, but the server to find some on. */
  readonly bootFile?: 'url' | 'none';
  /** The reply is broadcast, asked for or not. */
  readonly broadcast?: true;
}

/** A client matches when all that is there does. */
export interface ClientPattern {
  /** Option 60 begins so. */
  readonly vendorClass?: string;
  /** Option 93, or else what option 60 says of it. */
  readonly archs?: readonly number[];
  /** The first three bytes of the MAC address. */
  readonly ouis?: readonly number[];
  /** An iPXE that can't fetch by HTTP, by its option 175. */
  readonly isStrippedIpxe?: true;
  /** Neither option 60 nor 93 was sent. */
  readonly isSilent?: true;
}

export interface Quirk {
  readonly name: string;
  /** Who has it; with several patterns, who matches one. */
  readonly matches: 'everyone' | 'nobody' | readonly ClientPattern[];
  /** Who may have it where the file says `on`. Default: who has it anyway. */
  readonly allows?: Quirk['matches'];
  readonly effects: QuirkEffects;
  /** Who has it, in words: "every PXE client". */
  readonly whom: string;
  /** What is done, as a sentence without a full stop. */
  readonly does: string;
  /** Firmware it was seen on, or who reports it. */
  readonly seen: string;
}

const RASPBERRY_PI = [0x28cdc1, 0x2ccf67, 0x88a29e, 0xb827eb, 0xd83add, 0xdca632, 0xe45f01];

/** PXE 2.1 §2.2.1: discovery control (6) with bit 3, "download the boot file at once", and End. */
const BOOT_AT_ONCE = '06 01 08 ff';
/** PXE 2.1: discovery control 3; menu prompt (10) "PXE", 0 s; menu (9) with one item of type 0, "Raspberry Pi Boot"; End. */
const PI_MENU = '06 01 03  0a 04 00 50 58 45  09 14 00 00 11 52 61 73 70 62 65 72 72 79 20 50 69 20 42 6f 6f 74  ff';

export const QUIRKS = [
  {
    name: 'boot-file-nul',
    matches: 'everyone',
    effects: { bootFileNul: true },
    whom: 'every client',
    does: 'option 67 ends in a NUL, for firmware that reads on into the next option',
    seen: 'UEFI of Kontron VX3040, Lenovo T460, Gigabyte Z77X-UD3H, Jetway boards (netbootxyz/netboot.xyz#1198; peers.md §3.1/1)',
  },
  {
    name: 'boot-file-in-header',
    matches: 'everyone',
    effects: { bootFileInHeader: true },
    whom: 'every client',
    does: 'the boot file is in the header field `file` as well as in option 67, for firmware that reads only the header',
    seen: 'legacy PXE ROMs, U-Boot (siderolabs/booter#11; peers.md §3.1/2)',
  },
  {
    name: 'pxe-direct',
    matches: [{ vendorClass: 'PXEClient' }],
    effects: { vendorClass: 'PXEClient', vendorOptions: BOOT_AT_ONCE },
    whom: 'every PXE client that is offered a boot server',
    does: 'option 60 is PXEClient and option 43 says "boot the file at once", so that it neither waits for a proxy, asks port 4011 nor shows a menu',
    seen: 'EDK2, which option 60 without 43 sends to port 4011 (tianocore/edk2#8149); iPXE, which else waits 3 s for a proxy (peers.md §3.1/3, 6)',
  },
  {
    name: 'machine-id-echo',
    matches: [{ vendorClass: 'PXEClient' }, { vendorClass: 'HTTPClient' }],
    effects: { echoMachineId: true },
    whom: 'every PXE and HTTP boot client',
    does: 'its GUID (option 97) goes back to it; one that is no GUID of 17 bytes is left out, and the client served all the same',
    seen: 'PXE 2.1 asks for it; Intel cards with a bad GUID (danderson/pixiecore#21; peers.md §3.1/7)',
  },
  {
    name: 'arch-9-is-x64',
    matches: [{ archs: [9] }],
    effects: { readAs: 7 },
    whom: 'architecture 9, which is EFI byte code in the erratum to RFC 4578 and x64 in the RFC itself',
    does: 'it gets the loader for x64 UEFI, as architecture 7 does',
    seen: 'x64 UEFI of either mind (opnsense/core#2223; peers.md §3.1/8)',
  },
  {
    name: 'uefi-http-boot',
    matches: [{ vendorClass: 'HTTPClient' }, { archs: [15, 16, 19, 24] }],
    effects: { vendorClass: 'HTTPClient', bootFile: 'url' },
    whom: 'every UEFI HTTP boot client (vendor class HTTPClient, architectures 15, 16, 19, 24)',
    does: 'option 60 is HTTPClient and the boot file an http URL with a literal address; off: it is offered no file and goes on to PXE',
    seen: 'EDK2 takes no offer without the echo; some firmware hands the loader no name servers (ipxe/ipxe#1316; peers.md §3.1/9)',
  },
  {
    name: 'stripped-ipxe',
    matches: [{ isStrippedIpxe: true }],
    effects: { loaderForIpxe: true },
    whom: 'every iPXE whose option 175 does not say that it can fetch by HTTP',
    does: 'it gets a loader like any other ROM; the loader says HTTP and so never gets one again',
    seen: 'Mellanox FlexBoot, VirtualBox (warewulf/warewulf3#104; peers.md §3.1/10)',
  },
  {
    name: 'raspberry-pi',
    matches: [{ ouis: RASPBERRY_PI, archs: [0] }, { ouis: RASPBERRY_PI, isSilent: true }, { archs: [0x29] }],
    allows: [{ archs: [0] }, { archs: [0x29] }, { isSilent: true }],
    effects: { vendorClass: 'PXEClient', vendorOptions: PI_MENU, bootFile: 'none' },
    whom: "a Raspberry Pi's boot ROM: its MAC prefix with architecture 0 or, as in its REQUEST, no word of itself; architecture 41",
    does: 'option 43 is the menu "Raspberry Pi Boot" it looks for; it gets no boot file, only the server, where it finds its own files',
    seen: 'Raspberry Pi (raspberrypi/firmware#801, #1265; peers.md §3.1/14)',
  },
  {
    name: 'broadcast-reply',
    matches: 'nobody',
    allows: 'everyone',
    effects: { broadcast: true },
    whom: 'nobody; where the file switches it on',
    does: 'replies are broadcast although the client does not ask for it',
    seen: 'stacks that hear no unicast before they have an address, and do not say so (dnsmasq has --dhcp-broadcast for them; peers.md §3.1/19)',
  },
] as const satisfies readonly Quirk[];

export type QuirkName = (typeof QUIRKS)[number]['name'];

/** What the file says of quirks; one that it does not name goes by the table. */
export type QuirkSwitches = { readonly [K in QuirkName]?: boolean | undefined };
