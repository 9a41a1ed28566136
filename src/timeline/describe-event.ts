import type { EventBody } from './event.ts';
import { plainText } from '../wire/plain-text.ts';

const ARMED_BECAUSE = {
  reset: 'an operator reset it',
  changed: 'what it is to boot was changed',
  quiet: 'it has not asked for long',
} as const;

const IMPORT_ENDED = {
  whole: 'is done',
  'in part': 'is done in part',
  stopped: 'was stopped',
  failed: 'failed',
} as const;

const REGION_ORDERS = {
  import: 'import images',
  stopImport: 'stop the import of images',
  scan: 'look for machines',
  rotateKey: 'take a new key',
} as const;

/** What an event says, as one plain sentence without when, who and where. */
export function describeEvent(event: EventBody): string {
  return plainText(sentenceOf(event));
}

function sentenceOf(event: EventBody): string {
  switch (event.kind) {
    case 'dhcp.discover':
      return `asks for an address${clientOf(event)}${event.relay === undefined ? '' : ` through relay ${event.relay}`}`;
    case 'dhcp.bootp':
      return 'asks for an address by BOOTP';
    case 'dhcp.offer':
      return `is offered it for ${seconds(event.leaseSeconds)}${boots(event.bootFile)}`;
    case 'dhcp.request':
      return `requests ${event.wanted} (${event.state})`;
    case 'dhcp.ack':
      return `has it${event.name === undefined ? '' : ` as ${event.name}`}${until(event.expires)}${boots(event.bootFile)}`;
    case 'dhcp.nak':
      return `is refused its address: ${event.reason}`;
    case 'dhcp.inform':
      return `has its address from elsewhere and is told the options${boots(event.bootFile)}`;
    case 'dhcp.proxy-offer':
      return `is told, beside its offer of an address, ${fetches(event.bootFile)}`;
    case 'dhcp.proxy-ack':
      return `asks the boot server and is told ${fetches(event.bootFile)}`;
    case 'dhcp.elsewhere':
      return `takes its address from ${event.server === undefined ? 'elsewhere' : `the DHCP server ${event.server}`}`;
    case 'dhcp.release':
      return 'gives its address back';
    case 'dhcp.decline':
      return `says that its address is in use by someone else${event.reason === undefined ? '' : `, and is not believed: ${event.reason}`}`;
    case 'dhcp.conflict':
      return event.reason === undefined
        ? `is not offered it: ${event.holder} uses it`
        : `is offered it although ${event.holder} answers for it: ${event.reason}`;
    case 'dhcp.conflict-check-off':
      return `addresses are offered without a look whether someone uses them: no raw socket on ${event.interfaces.join(', ')}`;
    case 'dhcp.conflict-check-on':
      return 'addresses are looked for on the wire again before they are offered';
    case 'dhcp.expired':
      return 'let its lease run out';
    case 'dhcp.ignored':
      return `is not answered: ${event.reason}`;
    case 'dhcp.exhausted':
      return `finds no free address in ${event.subnet}`;
    case 'dhcp.range-claimed':
      return `most of ${event.range} is answered for by machines that nobody lent it to: the rest is given out whoever claims it`;
    case 'dhcp.range-believed':
      return `of ${event.range} so little is claimed again that it is believed`;
    case 'dhcp.store-failed':
      return `leases can't be written: no new one is given, running ones are confirmed for the time they have left: ${event.reason}`;
    case 'dhcp.store-works':
      return 'leases can be written again: new ones are given';
    case 'dhcp.store-replaced':
      return `the lease file is damaged (${event.reason}): set aside as ${event.setAside}, ${count(event.recovered, 'lease')} recovered from it`;
    case 'dhcp.revoked':
      return 'loses its lease: an operator ended it';
    case 'dhcp.imported':
      return `${count(event.taken, 'lease')} of another server taken over, ${event.refused} refused`;
    case 'dhcp.clock-set':
      return `the clock was set by ${event.seconds} s: the leases go on for as long as before`;
    case 'tftp.size-probe':
      return `asks by TFTP for the size of ${event.file}: ${event.bytes} bytes`;
    case 'tftp.sent':
      return `fetched ${event.file} by TFTP: ${event.bytes} bytes in ${event.milliseconds} ms, ${event.retransmitted} blocks sent again${says(event.boots)}`;
    case 'tftp.under-way':
      return `is still fetching ${event.file} by TFTP, ${event.bytes} bytes, after ${Math.round(event.milliseconds / 1000)} s`;
    case 'tftp.failed':
      return `did not get ${event.file} by TFTP: ${event.reason}`;
    case 'tftp.refused':
      return `is refused ${event.file} by TFTP: ${event.reason}`;
    case 'http.sent':
      return `fetched ${event.path} by HTTP: ${event.status}, ${event.bytes} bytes in ${event.milliseconds} ms${waited(event.waited)}${says(event.boots)}`;
    case 'http.under-way':
      return `is still fetching ${event.path} by HTTP, ${event.bytes} bytes, after ${Math.round(event.milliseconds / 1000)} s`;
    case 'http.failed':
      return `did not get ${event.path} by HTTP: ${event.reason}`;
    case 'http.refused':
      return `is refused ${event.path === '' ? 'something' : event.path} by HTTP: ${event.status}, ${event.reason}`;
    case 'http.certificate-failed':
      return event.kept
        ? `the certificate files can't be used, the certificate before them is served on: ${event.reason}`
        : `HTTPS is not served: ${event.reason}`;
    case 'http.certificate-loaded':
      return `HTTPS is served for ${event.subject}, with a certificate ${until(event.expires).trim()}`;
    case 'dns.first-question':
      return `asks for its first name, ${event.name} ${event.type}: ${event.answer}`;
    case 'dns.upstream-failed':
      return `the upstream ${event.upstream} does not answer: ${event.reason}`;
    case 'dns.upstream-works':
      return `the upstream ${event.upstream} answers again, after ${event.seconds} s`;
    case 'dns.upstream-dismissed':
      return `the upstream ${event.upstream}, which does not answer, is asked no more`;
    case 'dns.upstream-forged':
      return `somebody sends answers in the name of the upstream ${event.upstream}: it is asked by TCP for a minute, which must get through to it`;
    case 'dns.tls-failed':
      return `no TLS with the upstream ${event.upstream}: ${event.reason}`;
    case 'dns.tls-works':
      return `TLS with the upstream ${event.upstream} works again`;
    case 'dns.keys-failed':
      return `what is signed by these keys is refused: ${event.faults.join('; ')}`;
    case 'dns.keys-work':
      return 'all keys can be had again';
    case 'dns.store-failed':
      return `zones can't be written: they are served and transferred from memory, and take no updates: ${event.reason}`;
    case 'dns.store-works':
      return 'zones are written again';
    case 'dns.store-replaced':
      return `the file of zones is damaged (${event.reason}): set aside as ${event.setAside}; names that came by updates are lost`;
    case 'zone.notify-failed':
      return `the secondary ${event.secondary} can't be told that ${event.zone} changed: ${event.reason}`;
    case 'zone.notify-works':
      return `the secondary ${event.secondary} hears of changes again`;
    case 'zone.loaded':
      return `zone ${event.zone} loaded: ${count(event.records, 'record')}, serial ${event.serial}${warned(event.warnings)}`;
    case 'zone.refused':
      return `zone ${event.zone} refused, ${event.kept ? 'what was read before stays' : 'it is not served'}: ${event.faults.join('; ')}`;
    case 'zone.updated':
      return `${event.by} updated ${event.zone}: ${count(event.added, 'record')} added, ${count(event.removed, 'record')} removed`;
    case 'zone.overruled':
      return `the file of ${event.zone} leaves no place for ${count(event.records, 'record')} of its updates: "rackboot zones updates ${event.zone}" names them`;
    case 'zone.transferred':
      return `${event.to} has all of ${event.zone}, serial ${event.serial}`;
    case 'dns.query':
      return `asks for ${event.name} ${event.type}: ${event.answer}`;
    case 'neighbour.new':
      return `is seen on ${wire(event)} for the first time`;
    case 'neighbour.moved':
      return `has it now on ${wire(event)}, which was ${event.from}'s`;
    case 'neighbour.refreshed':
      return `is still there on ${wire(event)}`;
    case 'conflict.began':
      return `${grievance(event)} (on ${event.interface})`;
    case 'conflict.ended':
      return `over after ${event.seconds} s: ${grievance(event)} (on ${event.interface})`;
    case 'conflict.hidden':
      return `there are more conflicts of the kind ${event.conflict} than the ${event.shown} that are shown`;
    case 'conflict.shown':
      return `all conflicts of the kind ${event.conflict} are shown again`;
    case 'dhcp-server.found':
      return `a DHCP server that is not known, ${event.server}, is on ${event.interface}${offering(event)}`;
    case 'dhcp-server.gone':
      return `the DHCP server ${event.server} on ${event.interface} is silent`;
    case 'dhcp-server.hidden':
      return `there are more DHCP servers that are not known than the ${event.shown} that are shown: somebody makes them up`;
    case 'dhcp-server.shown':
      return 'all DHCP servers that are not known are shown again';
    case 'watch.blind':
      return `who is on the wire is not seen: no raw socket on ${event.interfaces.join(', ')}`;
    case 'watch.sees':
      return 'who is on the wire is seen again';
    case 'watch.scanned':
      return `looked for machines at ${count(event.asked, 'address', 'addresses')}: ${event.answered} answered`;
    case 'watch.store-failed':
      return `neighbours can't be written, and are forgotten when rackboot ends: ${event.reason}`;
    case 'watch.store-works':
      return 'neighbours are written again';
    case 'watch.store-replaced':
      return `the file of neighbours is damaged (${event.reason}): set aside as ${event.setAside}; they are learnt anew`;
    case 'timeline.cut':
      return 'tells more than is kept here: of what follows only a part is, all of it is in the log';
    case 'machine.report':
      return `reports stage "${event.report.stage}"`;
    case 'boot.done':
      return `has had the boot entry ${event.entry}, as it ${event.by === 'delivered' ? 'was sent all of it' : 'reported that it is installed'}: boots its own disk from now on`;
    case 'boot.held':
      return `netbooted ${event.entry} ${event.boots} times within ${minutes(event.withinSeconds)}: boots its own disk from now on`;
    case 'boot.armed':
      return `netboots ${event.entry} again when it is to: ${ARMED_BECAUSE[event.because]}`;
    case 'boot.store-failed':
      return `boot states can't be written, and are forgotten when rackboot ends: ${event.reason}`;
    case 'boot.store-works':
      return 'boot states are written again';
    case 'boot.store-replaced':
      return `the file of boot states is damaged (${event.reason}): set aside as ${event.setAside}, ${count(event.recovered, 'state')} recovered from it`;
    case 'image.import-started':
      return `import of images from ${count(event.sources, 'source')} begins`;
    case 'image.published':
      return `image ${event.image} ${event.version} is here, ${event.bytes} bytes: machines get it from now on`;
    case 'image.refused':
      return `images of ${event.source}: ${event.reason}`;
    case 'image.import-ended':
      return `import of images ${IMPORT_ENDED[event.how]}: ${count(event.published, 'new version')}, ${event.bytes} bytes to fetch, ${event.milliseconds} ms${event.reason === undefined ? '' : `: ${event.reason}`}`;
    case 'image.spoilt':
      return `file ${event.file} of image ${event.image} is spoilt on disk${event.quarantine === undefined ? ', or gone' : `: set aside as ${event.quarantine}`}`;
    case 'image.removed':
      return `${count(event.files, 'file')} of images removed, ${event.bytes} bytes${event.setAside === undefined ? '' : `, and ${count(event.setAside, 'file')} that no image has set aside in quarantine`}`;
    case 'image.index-replaced':
      return event.setAside === undefined
        ? `the index of images is gone (${event.reason}): begun anew beside the files of images`
        : `the index of images is damaged (${event.reason}): set aside as ${event.setAside}, ${count(event.recovered, 'version')} recovered from it`;
    case 'image.removal-held':
      return `no file of an image is removed, as the index of images was begun anew at ${new Date(event.since).toISOString()} (${event.reason}): not before every source was imported whole; images that were added by hand are to be added again`;
    case 'image.removal-resumed':
      return 'every source was imported whole since the index of images was begun anew: files that no image has are removed again';
    case 'region.connected':
      return `in step with the region at ${event.url}${event.seconds === undefined ? '' : ` again, after ${event.seconds} s`}`;
    case 'region.lost':
      return `the region at ${event.url} can't be followed, all goes on as it is: ${event.reason}`;
    case 'region.refused':
      return `the region does not know this rack: ${event.reason}`;
    case 'region.forgotten':
      return `the region is away for too long: what is to be told to it is given up, up to ${new Date(event.before).toISOString()}`;
    case 'region.record-refused':
      return `the region can't take an event (${event.record}), and is not told of it: ${event.reason}`;
    case 'region.went-back':
      return `the region has forgotten ${count(event.records, 'event')} that it had of this rack, as if it was put back to an older time: it is told of all leases anew`;
    case 'region.doubled':
      return 'somebody else reports to the region as this rack: was its state directory copied? `rackboot enrol` makes the copy a rack of its own';
    case 'region.clock-wrong':
      return `the clocks of this rack and its region are ${Math.abs(event.seconds)} s apart: ${event.seconds > 0 ? "the region's" : "this rack's"} is ahead`;
    case 'region.clock-right':
      return 'the clocks of this rack and its region agree again';
    case 'region.key-changed':
      return 'the region knows this rack by a new key';
    case 'region.key-restored':
      return 'the region knew this rack by the key before, as if it was put back to an older time: it was told of the present one anew, and takes it again';
    case 'region.key-failed':
      return `the new key that the region orders can't be written, the old one is used on: ${event.reason}`;
    case 'region.ordered':
      return `the region orders: ${REGION_ORDERS[event.order]}`;
    case 'region.outbox-failed':
      return `what is to be told to the region can't be written, and waits in memory: ${event.reason}`;
    case 'region.outbox-works':
      return 'what is to be told to the region is written again';
    case 'region.outbox-replaced':
      return `the file of what is to be told to the region is damaged (${event.reason}): set aside as ${event.setAside}, and begun anew`;
    case 'plan.applied':
      return `plan applied: ${count(event.subnets, 'subnet')}, ${count(event.hosts, 'host')}, ${count(event.faults, 'fault')}`;
    case 'plan.refused':
      return `plan refused, the one before stays: ${event.faults.join('; ')}`;
    case 'region.plan-taken':
      return `plan ${event.version} of the region is in force${event.conflicts.map((conflict) => `; ${conflict}`).join('')}`;
    case 'region.plan-refused':
      return `plan ${event.version} of the region refused, what is in force stays: ${event.faults.join('; ')}`;
    case 'region.plan-lost':
      return `the region's plan can't be read and is put aside until the region gives it again: ${event.reason}`;
    case 'service.ready':
      return `${event.service} serves`;
    case 'service.failed':
      return `${event.service} failed and starts again in ${event.retryMilliseconds} ms: ${event.reason}`;
    case 'rack.ready':
      return `ready after ${event.milliseconds} ms`;
    case 'rack.stopping':
      return `stopping: ${event.reason}`;
  }
}

function wire({ interface: device, vlan }: { interface: string; vlan?: string }): string {
  return vlan === undefined ? device : `${device} in VLAN ${vlan}`;
}

function grievance(event: EventBody & { kind: 'conflict.began' | 'conflict.ended' }): string {
  const { conflict, host = '', other = '', wanted = '' } = event;
  switch (conflict) {
    case 'two-machines':
      return `has an address that ${other} has too`;
    case 'own-address':
      return 'claims an address of this rack';
    case 'host-address':
      return `uses the address of host ${host}`;
    case 'leased-address':
      return `uses an address that is lent to ${other}`;
    case 'wrong-address':
      return `is host ${host}, which has ${wanted}, and uses another address`;
    case 'many-addresses':
      return 'answers for many addresses that are not its own: it listens in, or is a router that does so for all (proxy ARP) and not the one that the file names';
    case 'squatted':
      return 'uses an address of a range that nobody lent it';
  }
}

function offering({ offers, router, bootFile }: { offers?: string; router?: string; bootFile?: string }): string {
  const with_ = [router === undefined ? '' : `router ${router}`, bootFile === undefined ? '' : `to boot ${bootFile}`];
  const more = with_.filter((part) => part !== '').join(', ');
  return offers === undefined ? '' : `: it offers ${offers}${more === '' ? '' : ` with ${more}`}`;
}

function clientOf(event: { arch?: number; vendorClass?: string; userClass?: string }): string {
  const parts: string[] = [];
  if (event.userClass !== undefined) parts.push(event.userClass);
  if (event.vendorClass !== undefined) parts.push(event.vendorClass);
  if (event.arch !== undefined) parts.push(`arch ${event.arch}`);
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}

function boots(bootFile: string | undefined): string {
  return bootFile === undefined ? '' : `, to boot ${bootFile}`;
}

/** A Raspberry Pi is told the server only. */
function fetches(bootFile: string | undefined): string {
  return bootFile === undefined ? 'which server its files are on' : `to boot ${bootFile}`;
}

/** A script that leads on to another says nothing of what is booted. */
function says(entry: string | undefined): string {
  return entry === undefined ? '' : `; it says to boot ${entry === 'local' ? 'its own disk' : entry}`;
}

function waited(milliseconds: number | undefined): string {
  return milliseconds === undefined ? '' : `, ${milliseconds} of them behind others`;
}

function until(expires: number | undefined): string {
  return expires === undefined ? '' : ` until ${new Date(expires * 1000).toISOString().slice(0, 19)}Z`;
}

function warned(warnings: readonly string[]): string {
  return warnings.length === 0 ? '' : `; but ${warnings.join('; ')}`;
}

function minutes(value: number): string {
  return value % 3600 === 0 ? `${value / 3600} h` : `${Math.round(value / 60)} min`;
}

function seconds(value: number): string {
  return value % 3600 === 0 ? `${value / 3600} h` : `${value} s`;
}

function count(number: number, noun: string, nouns = `${noun}s`): string {
  return `${number} ${number === 1 ? noun : nouns}`;
}
