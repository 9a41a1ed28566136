import { posix } from 'node:path';
import { formatIp4 } from '../addr/ip4.ts';
import { checkBoot, type BootPlaces } from './check-boot.ts';
import { checkClasses } from './check-classes.ts';
import { checkDns } from './check-dns.ts';
import { checkHosts } from './check-hosts.ts';
import { checkHttp } from './check-http.ts';
import { checkImages } from './check-images.ts';
import { checkOptions } from './check-options.ts';
import { checkRegion } from './check-region.ts';
import { checkWatch } from './check-watch.ts';
import { checkSubnets, formatInterfaces } from './check-subnets.ts';
import { ConfigDocument } from './config-document.ts';
import { readDraft, type ConfigDraft } from './config-draft.ts';
import { FaultBook } from './fault-book.ts';
import type { Fault } from './fault.ts';
import { installedLoaders } from './loader-shelf.ts';
import { importedLoaders, storedImages } from './image-shelf.ts';
import { MergedDocument } from './merged-document.ts';
import { RegionDocument, type RegionPart } from './region-document.ts';
import type { SourceDocument } from './source-document.ts';
import {
  BOOT_LOCAL,
  type ImageSettings,
  type ImageSource,
  type Plan,
  type RackSettings,
  type RegionSettings,
  type Subnet,
  type TftpSettings,
} from './plan.ts';
import type { Surroundings } from './surroundings.ts';
import { parseLabel, type Endpoint } from './text-forms.ts';

export interface Compiled {
  /** Where the region's part and the file differ, a sentence each. */
  readonly conflicts: readonly string[];
  /** Deeply frozen; present when no fault has scope `plan`. */
  readonly plan?: Plan;
  /** All of them, in file order. */
  readonly faults: readonly Fault[];
}

/**
 * Compiles config text into a Plan, and with it what a region adds where the text has a section `region`. Never throws: whatever
 * they say, the answer is a Plan, faults, or both.
 */
export function compilePlan(text: string, file: string, surroundings: Surroundings, region?: RegionPart): Compiled {
  return compileDocument(new ConfigDocument(text), file, surroundings, region);
}

/** The same for a text that was read already. */
export function compileDocument(
  written: ConfigDocument,
  file: string,
  surroundings: Surroundings,
  region?: RegionPart,
): Compiled {
  const { document, conflicts } = withRegion(written, surroundings, region);
  const book = new FaultBook(file, document);
  const draft = readDraft(book);
  // After a syntax error nobody knows what belongs together.
  const ground = { directory: posix.resolve(posix.dirname(file)), ...surroundings };
  const plan = book.document.brokenAt === undefined ? checkWhole(book, draft, ground) : undefined;
  const faults = book.list();
  const isServable = plan !== undefined && faults.every((fault) => fault.scope === 'entry');
  return isServable ? { plan: deepFreeze(plan), faults, conflicts } : { faults, conflicts };
}

/** Who follows no region hears none; and what a broken file says counts for nothing, so there is nothing to merge. */
function withRegion(
  document: ConfigDocument,
  { interfaces }: Surroundings,
  region: RegionPart | undefined,
): { readonly document: SourceDocument; readonly conflicts: readonly string[] } {
  if (!region || !document.has(['region']) || document.brokenAt !== undefined) return { document, conflicts: [] };
  const merged = new MergedDocument(document, new RegionDocument(region), interfaces);
  return { document: merged, conflicts: merged.conflicts };
}

/** What is around the file, and where its relative paths begin. */
type Ground = Surroundings & { readonly directory: string };

function checkWhole(book: FaultBook, draft: ConfigDraft, surroundings: Ground): Plan | undefined {
  const rack = checkRack(book, draft, surroundings.hostName);
  const classNames = new Set(draft.classes.flatMap(({ name }) => name ?? []));
  const subnets = checkSubnets(book, draft.subnets, surroundings, classNames);
  const { catalogue, choices } = checkBoot(book, draft.boot, bootPlaces(book, draft, surroundings), surroundings);
  const hasAllSubnets = subnets.length === draft.subnets.length && !book.lost(['subnets']);
  const ground = { rackName: rack?.name, subnets, hasAllSubnets, choices };
  const { hosts, hasUnrecognisable } = checkHosts(book, draft.hosts, ground);
  const clients = { ...checkOptions(book, draft, [], 'all'), ...checkClasses(book, draft.classes, choices.loaders) };
  const region = checkRegion(book, draft, surroundings);
  const admin = checkListen(book, draft, subnets, surroundings);
  const http = checkHttp(book, draft, surroundings);
  const images = trusting(checkImages(book, draft.images, draft.rack.state, surroundings), region);
  const { level } = draft.log;
  const tftp = checkTftp(draft);
  const { age: ageSeconds, size: bytes } = draft.timeline;
  const { directory } = surroundings;
  const watch = rack && checkWatch(draft, rack.name);
  const dns = rack && checkDns(book, draft.dns, { rackName: rack.name, subnets, hosts, directory, surroundings });
  if (watch === undefined || region === undefined) return undefined;
  if (!rack || !catalogue || !http || !images || !tftp || !dns || !admin || level === undefined) return undefined;
  if (ageSeconds === undefined || bytes === undefined) return undefined;
  // A machine that can not be told from an unknown one must not be installed over: see checkHosts.
  const boot = hasUnrecognisable ? { ...catalogue, default: BOOT_LOCAL, isDefaultHeld: true as const } : catalogue;
  return {
    rack,
    subnets,
    ...relayInterfaces(subnets, surroundings),
    hosts,
    ...clients,
    boot,
    images,
    http,
    tftp,
    dns,
    admin,
    log: { level },
    timeline: { ageSeconds, bytes },
    ...(region !== 'none' && { region }),
    ...(watch !== 'off' && { watch }),
  };
}

/** What the region has of images comes from where it is itself, perhaps with a certificate that only its racks know. */
function trusting(
  images: ImageSettings | undefined,
  region: RegionSettings | 'none' | undefined,
): ImageSettings | undefined {
  if (!images || !region || region === 'none') return images;
  const { urls, ca, pins } = region;
  const trust = { ...(ca !== undefined && { ca }), ...(pins && { pins }) };
  if (Object.keys(trust).length === 0) return images;
  const isOwn = ({ url }: ImageSource): boolean => url.startsWith('https:') && urls.includes(new URL(url).origin);
  return { ...images, sources: images.sources.map((source) => (isOwn(source) ? { ...source, trust } : source)) };
}

/**
 * A relay may reach us by any interface. Those with a subnet are listened on for it; where no subnet is local one socket
 * hears them all; else each of the others needs one of its own.
 */
function relayInterfaces(
  subnets: readonly Subnet[],
  { interfaces }: Surroundings,
): { relayInterfaces?: readonly string[] } {
  const managed = subnets.filter(({ management }) => management !== 'none');
  if (managed.every((subnet) => subnet.interface) || !managed.some((subnet) => subnet.interface)) return {};
  const taken = new Set(['lo', ...subnets.map((subnet) => subnet.interface)]);
  const names = new Set(interfaces.map(({ name }) => name));
  return { relayInterfaces: [...names].filter((name) => !taken.has(name)) };
}

function checkRack(book: FaultBook, draft: ConfigDraft, hostName: string): RackSettings | undefined {
  const { state, control } = draft.rack;
  const name = draft.rack.name ?? defaultName(book, hostName);
  return name === undefined || state === undefined || control === undefined ? undefined : { name, state, control };
}

/** The host name up to its first dot. */
function defaultName(book: FaultBook, hostName: string): string | undefined {
  if (book.lost(['rack', 'name'])) return undefined;
  const name = parseLabel(hostName.split('.')[0] ?? '');
  if (name === undefined) {
    book.report(['rack', 'name'], `a name, since the host name '${hostName}' is none for DNS`);
  }
  return name;
}

/** Undefined when it is not known where files are. */
function bootPlaces(book: FaultBook, draft: ConfigDraft, surroundings: Surroundings): BootPlaces | undefined {
  const files = filesDirectory(book, draft);
  const { state } = draft.rack;
  if (files === undefined || state === undefined) return undefined;
  const stored = storedImages(state, surroundings);
  return { files, installed: installedLoaders(state), imported: importedLoaders(stored), stored };
}

/** `boot.files`, by default the folder `files` of the rack's state. Undefined when either has a fault. */
function filesDirectory(book: FaultBook, draft: ConfigDraft): string | undefined {
  if (draft.boot.files !== undefined) return draft.boot.files;
  const { state } = draft.rack;
  return state === undefined || book.lost(['boot', 'files']) ? undefined : posix.join(state, 'files');
}

function checkTftp({ tftp }: ConfigDraft): TftpSettings | undefined {
  const { window, transfers, 'block-size': blockSize, 'per-client': perClient, 'single-port': singlePort } = tftp;
  if (blockSize === undefined || window === undefined || singlePort === undefined) return undefined;
  if (transfers === undefined || perClient === undefined) return undefined;
  return { blockSize, window, transfers, perClient, singlePort };
}

/** The operator plane must have an address of this machine, and a port that the boot plane does not want there. */
function checkListen(
  book: FaultBook,
  draft: ConfigDraft,
  subnets: readonly Subnet[],
  { interfaces }: Surroundings,
): Endpoint | undefined {
  const { listen } = draft.admin;
  if (!listen) return undefined;
  const { address, port } = listen;
  const isEverywhere = address === 0;
  const isLoopback = address >>> 24 === 127;
  const path = ['admin', 'listen'];
  const portKey = bootPortKey(draft, port);
  if (!isEverywhere && !isLoopback && interfaces.every((row) => row.address !== address)) {
    const expected = `0.0.0.0, 127.0.0.1 or an address of this machine (it has ${formatInterfaces(interfaces)})`;
    book.report(path, expected, { found: formatIp4(address) });
  } else if (portKey !== undefined && (isEverywhere || subnets.some((subnet) => subnet.rackAddress === address))) {
    book.report(path, `a port other than ${portKey} where both listen`);
  }
  return listen;
}

/** The key by which the boot plane has this port. */
function bootPortKey({ http }: ConfigDraft, port: number): string | undefined {
  if (port === http.port) return 'http.port';
  return port === http.tls?.port ? 'http.tls.port' : undefined;
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const part of Object.values(value)) deepFreeze(part);
  return Object.freeze(value);
}
