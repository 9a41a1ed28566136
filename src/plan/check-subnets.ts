import { broadcastOf, cidrContains, cidrsOverlap, formatCidr, type Cidr } from '../addr/cidr.ts';
import { formatIp4, type Ip4 } from '../addr/ip4.ts';
import { checkOptions } from './check-options.ts';
import { checkPoolClasses, checkRanges, poolsOf, type Reserved } from './check-ranges.ts';
import type { SubnetDraft } from './config-draft.ts';
import type { FaultBook } from './fault-book.ts';
import type { Path } from './fault.ts';
import type { OptionWishes, Subnet } from './plan.ts';
import { withSuggestion } from './nearest-name.ts';
import type { InterfaceAddress, Surroundings } from './surroundings.ts';

/** What only whoever gives the addresses can say. */
const NOT_FOR_PROXY = [
  'dynamic',
  'static',
  'pools',
  'router',
  'broadcast',
  'dns',
  'domain',
  'quarantine',
  'client-id',
  'bootp',
  'rapid-commit',
  'lease',
  'options',
  'always',
] as const;

/** A subnet whose own values are known to be good. */
interface Sound {
  readonly draft: SubnetDraft;
  readonly path: Path;
  readonly cidr: Cidr;
  readonly rackAddress: Ip4 | undefined;
  readonly options?: OptionWishes;
}

/** Holds the subnets against each other, this machine and the classes; gives those that have all a Plan needs. */
export function checkSubnets(
  book: FaultBook,
  drafts: readonly SubnetDraft[],
  surroundings: Pick<Surroundings, 'interfaces' | 'excuses'>,
  classNames: ReadonlySet<string>,
): Subnet[] {
  const sound = drafts.flatMap((draft, i) => soundSubnet(book, draft, ['subnets', i], surroundings));
  checkOverlaps(book, sound);
  checkSharedNetworks(book, drafts);
  for (const subnet of sound) checkAddresses(book, subnet);
  for (const { draft, path } of sound) checkPoolClasses(book, draft, path, classNames);
  const firstRackAddress = sound.find((subnet) => subnet.rackAddress !== undefined)?.rackAddress;
  return sound.flatMap((subnet) => finishSubnet(book, subnet, firstRackAddress));
}

/** What must not be handed out in this subnet. A /31 or /32 has no network and broadcast address (RFC 3021 §2.1). */
export function reservedIn(subnet: Pick<Subnet, 'cidr' | 'router' | 'rackAddress' | 'broadcast'>): Reserved[] {
  const { cidr, router, rackAddress, broadcast } = subnet;
  const reserved: Reserved[] = [];
  const add = (what: string, address: Ip4 | undefined) => {
    if (address === undefined || reserved.some((other) => other.address === address)) return;
    reserved.push({ address, what: `the ${what} ${formatIp4(address)}` });
  };
  if (cidr.prefix < 31) {
    add('network address', cidr.network);
    add('broadcast address', broadcastOf(cidr));
    add('broadcast address', broadcast);
  }
  add('router', router);
  add("rack's own address", rackAddress);
  return reserved;
}

function soundSubnet(
  book: FaultBook,
  draft: SubnetDraft,
  path: Path,
  surroundings: Pick<Surroundings, 'interfaces' | 'excuses'>,
): Sound[] {
  if (draft.management === 'proxy') checkProxy(book, path);
  const rackAddress = findRackAddress(book, draft, [...path, 'interface'], surroundings);
  const options = checkOptions(book, draft, path, 'subnet');
  return draft.cidr === undefined ? [] : [{ draft, path, cidr: draft.cidr, rackAddress, ...options }];
}

/** A range there would be no use, and an operator who wrote one expects that it is. */
function checkProxy(book: FaultBook, path: Path): void {
  const expected =
    'nothing here: with `management: proxy` another server gives the addresses and all that goes with them';
  for (const key of NOT_FOR_PROXY) {
    if (book.document.has([...path, key])) book.report([...path, key], expected, { found: key, at: 'key' });
  }
}

/** This machine's address on the interface named, inside the subnet: what clients there know the rack by. */
function findRackAddress(
  book: FaultBook,
  draft: SubnetDraft,
  path: Path,
  { interfaces, excuses }: Pick<Surroundings, 'interfaces' | 'excuses'>,
): Ip4 | undefined {
  const name = draft.interface;
  if (name === undefined) return undefined;
  const scope = excuses(name) ? 'entry' : 'plan';
  const own = interfaces.filter((row) => row.name === name);
  if (own.length === 0) {
    const names = interfaces.map((row) => row.name);
    const expected = `an interface of this machine with an IPv4 address (it has ${formatInterfaces(interfaces)})`;
    book.report(path, expected, { found: withSuggestion(name, names), scope });
    return undefined;
  }
  const { cidr } = draft;
  if (cidr === undefined) return undefined;
  const inside = own.find((row) => cidrContains(cidr, row.address));
  if (inside) return inside.address;
  const expected = `an interface with an address inside ${formatCidr(cidr)} (this machine has ${formatInterfaces(interfaces)})`;
  book.report(path, expected, { scope });
  return undefined;
}

/** "eth0 192.168.127.100/24, lo 127.0.0.1/8" */
export function formatInterfaces(interfaces: readonly InterfaceAddress[]): string {
  const rows = interfaces.map((row) => `${row.name} ${formatIp4(row.address)}/${row.prefix}`);
  return rows.length === 0 ? 'none' : rows.join(', ');
}

function checkOverlaps(book: FaultBook, subnets: readonly Sound[]): void {
  for (const [i, later] of subnets.entries()) {
    const earlier = subnets.slice(0, i).find((other) => cidrsOverlap(other.cidr, later.cidr));
    if (!earlier) continue;
    const where = book.whereIs([...earlier.path, 'cidr']);
    const expected = `a network apart from ${formatCidr(earlier.cidr)} ${where}`;
    book.report([...later.path, 'cidr'], expected);
  }
}

/** Subnets on one wire say so, all by one name; and those of one name are on one wire and tell clients apart alike. */
function checkSharedNetworks(book: FaultBook, drafts: readonly SubnetDraft[]): void {
  for (const [i, draft] of drafts.entries()) {
    const path: Path = ['subnets', i];
    const earlier = drafts.slice(0, i);
    const onWire =
      draft.interface === undefined ? -1 : earlier.findIndex((other) => other.interface === draft.interface);
    const named = draft.shared === undefined ? -1 : earlier.findIndex((other) => other.shared === draft.shared);
    if (onWire >= 0 && (draft.shared === undefined || earlier[onWire]?.shared !== draft.shared)) {
      const where = book.whereIs(['subnets', onWire, 'interface']);
      const expected = `an interface of its own, or one \`shared\` name for this subnet and that ${where}`;
      book.report([...path, 'interface'], expected);
    } else if (named >= 0 && earlier[named]?.interface !== draft.interface) {
      const where = book.whereIs(['subnets', named, 'shared']);
      book.report([...path, 'shared'], `a name of its own, as that ${where} is another link's`);
    } else if (named >= 0 && earlier[named]?.['client-id'] !== draft['client-id']) {
      const where = book.whereIs(['subnets', named, 'shared']);
      book.report([...path, 'client-id'], `the same as in the other subnet of its link ${where}`);
    } else if (named >= 0 && isProxy(earlier[named]) !== isProxy(draft)) {
      const where = book.whereIs(['subnets', named, 'shared']);
      const expected = `proxy in all subnets of a link or in none, unlike in that ${where}`;
      book.report([...path, 'management'], expected);
    }
  }
}

/** Of one link a machine is either given its address by this rack or told what to boot beside another server. */
function isProxy(draft: SubnetDraft | undefined): boolean {
  return draft?.management === 'proxy';
}

function checkAddresses(book: FaultBook, subnet: Sound): void {
  const { draft, path, cidr, rackAddress } = subnet;
  const inside = `an address inside ${formatCidr(cidr)}`;
  const { router, broadcast } = draft;
  if (broadcast !== undefined && (!cidrContains(cidr, broadcast) || isNetworkAddress(cidr, broadcast))) {
    book.report([...path, 'broadcast'], `${inside}, the first one excepted`);
  }
  if (router !== undefined && !cidrContains(cidr, router)) book.report([...path, 'router'], inside);
  else if (router !== undefined) checkRouter(book, subnet, router);
  const known = {
    cidr,
    broadcast: broadcast ?? broadcastOf(cidr),
    ...(router !== undefined && { router }),
    ...(rackAddress !== undefined && { rackAddress }),
  };
  checkRanges(book, draft, path, { cidr, reserved: reservedIn(known) });
}

function isNetworkAddress(cidr: Cidr, address: Ip4): boolean {
  return cidr.prefix < 31 && address === cidr.network;
}

/** The rack itself may be the router; the network and broadcast addresses may not. */
function checkRouter(book: FaultBook, { draft, path, cidr }: Sound, router: Ip4): void {
  const reserved = reservedIn({ cidr, broadcast: draft.broadcast ?? broadcastOf(cidr) });
  const taken = reserved.find((other) => other.address === router);
  if (taken) book.report([...path, 'router'], `an address other than ${taken.what}`);
}

function finishSubnet(book: FaultBook, subnet: Sound, firstRackAddress: Ip4 | undefined): Subnet[] {
  const { draft, cidr, rackAddress, options } = subnet;
  const { management, lease } = draft;
  if (management === undefined || lease === undefined) return [];
  const optional = {
    ...(draft.interface !== undefined && { interface: draft.interface }),
    ...(rackAddress !== undefined && { rackAddress }),
    ...(draft.shared !== undefined && { shared: draft.shared }),
    ...(draft.dynamic && { dynamic: draft.dynamic }),
    ...(draft.static && { static: draft.static }),
    ...poolsOf(draft),
    ...(draft.router !== undefined && { router: draft.router }),
    ...(draft.domain !== undefined && { domain: draft.domain }),
    ...(options && { options }),
    ...(draft.quarantine !== undefined && { quarantineSeconds: draft.quarantine }),
    ...(draft['conflict-check'] === 'off' && { conflictCheck: 'off' as const }),
    ...(draft['client-id'] === 'use' && { clientId: 'use' as const }),
    ...(draft.bootp === 'dynamic' && { bootp: draft.bootp }),
    ...(draft['rapid-commit'] === true && { rapidCommit: true }),
  };
  const broadcast = draft.broadcast ?? broadcastOf(cidr);
  const dns = draft.dns ?? defaultDns(book, subnet, firstRackAddress);
  // Its interface is not there: nothing is served on it until it is, and its addresses stay what they are
  const isOut = draft.interface !== undefined && rackAddress === undefined;
  return [{ cidr, management: isOut ? 'none' : management, broadcast, dns, leaseSeconds: lease, ...optional }];
}

/**
 * Only a rack that answers names offers itself as name server. Behind relays it is known by its first address; a rack
 * that has none must be told what to say.
 */
function defaultDns(book: FaultBook, { draft, path, rackAddress }: Sound, firstRackAddress: Ip4 | undefined): Ip4[] {
  if (draft.management !== 'dhcp+dns') return [];
  const address = rackAddress ?? firstRackAddress;
  if (address !== undefined) return [address];
  if (!book.touches(['subnets'])) {
    book.report([...path, 'dns'], 'name servers for its clients, since no subnet here has an interface');
  }
  return [];
}
