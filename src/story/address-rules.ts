import { isPast, type MachineFacts } from './machine-facts.ts';
import { clockTime, times, type Finding, type Ground, type Rule } from './trouble.ts';

const OFFER_PATIENCE = 60_000;
const REFUSALS = 3;
const REFUSED_WITHIN = 5 * 60_000;
/** The machine has another address by then; who has the first one is still to be found. */
const IN_USE_FOR = 60 * 60_000;

const BY_HAND = 'that machine was set to the address by hand, or has it of another DHCP server';

const rangeFull: Rule = {
  kind: 'range-full',
  find({ full }) {
    if (!full) return undefined;
    return {
      what: `asks for an address, and none is free in ${full.subnet ?? 'its subnet'}`,
      why: 'the range is smaller than the number of machines that ask, or leases of machines that are gone still run',
      next: '`rackboot leases` shows who has them, `rackboot leases release ADDRESS` ends one; a longer `dynamic`, or a shorter `lease`, of that subnet helps for good',
      events: [full],
    };
  },
};

const otherServer: Rule = {
  kind: 'other-server',
  find({ elsewhere, lastOffer }, { knownServers }) {
    if (elsewhere?.server === undefined || knownServers.includes(elsewhere.server)) return undefined;
    const offered = lastOffer && lastOffer.at <= elsewhere.at ? lastOffer : undefined;
    return {
      what: `${offered ? `was offered ${offered.address ?? 'an address'} and ` : ''}took an address of the DHCP server ${elsewhere.server} instead`,
      why: `two DHCP servers are on this network, and the one of ${elsewhere.server} was quicker or is preferred`,
      next: `end the server at ${elsewhere.server}, or let it have the addresses: \`management: proxy\` on this subnet`,
      events: offered ? [offered, elsewhere] : [elsewhere],
    };
  },
};

const offerNotTaken: Rule = {
  kind: 'offer-not-taken',
  isSilence: true,
  find({ offers, netboot, elsewhere, mac }, { now, otherServers }) {
    if (!offers || elsewhere || now - offers.first.at < OFFER_PATIENCE) return undefined;
    const { first, last, count } = offers;
    // Whoever does not hear us asks again (RFC 2131 §4.1); one that does not was carried away, or looked for servers
    if (!netboot && count === 1) return undefined;
    return {
      what: `was offered ${last.address ?? 'an address'} ${times(count)}, last at ${clockTime(last.at)}, and never asked for it${otherServers.length === 0 ? '' : `; another DHCP server (${otherServers.join(', ')}) answers here too`}`,
      why: netboot
        ? 'its firmware ignores the offer, or our reply does not reach it: a switch port still in spanning tree, a relay that drops replies, a firmware that takes broadcasts only'
        : 'our reply does not reach it, or it took another offer that was not told to us',
      next: `\`rackboot capture --mac ${mac}\` shows what leaves for it, \`rackboot explain --mac ${mac}\` why; quirk broadcast-reply sends it broadcasts; let the switch port forward at once (portfast)`,
      events: count === 1 ? [first] : [first, last],
    };
  },
};

const refusedAgain: Rule = {
  kind: 'refused-again',
  find({ naks }) {
    if (!naks || naks.count < REFUSALS || naks.last.at - naks.first.at > REFUSED_WITHIN * naks.count) return undefined;
    return {
      what: `is refused its address again and again, ${naks.count} times since ${clockTime(naks.first.at)}: ${naks.last.reason}`,
      why: 'it insists on an address that is not its own here: it was on another network, or its host was given another address, and it does not ask anew',
      next: 'let it forget its lease (restart its DHCP client), or give its host the address that it wants',
      events: [naks.first, naks.last],
    };
  },
};

const notAnswered: Rule = {
  kind: 'not-answered',
  find({ ignored, address, isAsking, mac }) {
    if (!ignored || (address !== undefined && !isAsking)) return undefined;
    return {
      what: `asks, and is not answered: ${ignored.last.reason}`,
      why: 'by the file this rack has nothing for it, or its packet can not be used',
      next: `\`rackboot explain --mac ${mac}\` goes through it rule by rule; mend the file if it is to have an address`,
      events: [ignored.last],
    };
  },
};

const declined: Rule = {
  kind: 'declined',
  find({ declined: event, conflict }, { now, conflicts, whoIs }) {
    if (!event || now - event.at > IN_USE_FOR) return undefined;
    const address = event.address ?? 'its address';
    const met = conflict?.address === event.address ? conflict : undefined;
    const seen = conflicts.find((each) => each.address === event.address);
    const holder = met?.holder ?? seen?.holder;
    const proof = met ?? seen?.event;
    return {
      what: `declined ${address}: ${holder === undefined ? 'somebody else' : whoIs(holder)} uses it`,
      why: `a machine was set to ${address} by hand, or another DHCP server gave it${event.reason === undefined ? '' : `; this is doubted, though: ${event.reason}`}`,
      next: `${holder === undefined ? `find who answers for it (\`arping ${address}\`), and take` : 'take'} the address out of the range or off that machine; until \`quarantine\` is over nobody is given it`,
      events: proof === undefined ? [event] : proof.at <= event.at ? [proof, event] : [event, proof],
    };
  },
};

const addressInUse: Rule = {
  kind: 'address-in-use',
  isStanding: true,
  find(facts, ground) {
    return shared(facts, ground) ?? withheld(facts, ground);
  },
};

/** The wire says that somebody uses the address that is this machine's. */
function shared({ declined: event }: MachineFacts, { conflicts, whoIs }: Ground): Finding | undefined {
  const used = conflicts.find(({ isOwn, address }) => isOwn && address !== event?.address);
  if (!used) return undefined;
  const { address, holder } = used;
  return {
    what: `is to have ${address}, and ${whoIs(holder)} uses it`,
    why: BY_HAND,
    next: `take the address off ${holder}, or give it to that machine as a host; while both use it, what is sent to one may get to the other`,
    events: [used.event],
  };
}

/** A look before the offer found somebody there. */
function withheld({ conflict, declined: event }: MachineFacts, { now, whoIs }: Ground): Finding | undefined {
  if (!conflict || conflict.reason !== undefined || now - conflict.at > IN_USE_FOR) return undefined;
  if (event && event.address === conflict.address) return undefined;
  return {
    what: `is not offered ${conflict.address ?? 'its address'}: ${whoIs(conflict.holder)} uses it`,
    why: BY_HAND,
    next: `take the address off ${conflict.holder}, or give it to that machine as a host; a machine with a fixed address waits for it`,
    events: [conflict],
  };
}

const NO_LOADER_PATIENCE = 30_000;

const noLoader: Rule = {
  kind: 'no-loader',
  isSilence: true,
  find(facts, { now, isLocal }) {
    const { netboot, lastFile, mac } = facts;
    const told = facts.told?.last;
    if (!told || told.bootFile !== undefined || !netboot || lastFile || isPast(facts, 'up')) return undefined;
    // Its firmware goes on to the disk, and so it should
    if (isLocal || now - (facts.told?.first ?? told).at < NO_LOADER_PATIENCE) return undefined;
    const arch = netboot.arch === undefined ? 'does not tell its architecture' : `is of architecture ${netboot.arch}`;
    return {
      what: `has its address, wants to netboot and is told nothing to boot: it ${arch}`,
      why: 'there is no loader for that architecture here, or it is not on disk',
      next: `\`rackboot loaders\` shows which are there, \`rackboot loaders install\` fetches them; \`rackboot explain --mac ${mac}${netboot.arch === undefined ? '' : ` --arch ${netboot.arch}`}\` tells the rule`,
      events: netboot.at <= told.at ? [netboot, told] : [told, netboot],
    };
  },
};

/** From its first question to its address, and to the name of what it is to fetch. */
export const ADDRESS_RULES: readonly Rule[] = [
  rangeFull,
  otherServer,
  offerNotTaken,
  refusedAgain,
  notAnswered,
  declined,
  addressInUse,
  noLoader,
];
