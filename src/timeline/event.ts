/** Who saw it: a service, or the rack process itself. */
export type ServiceName = 'dhcp' | 'dns' | 'dot' | 'tftp' | 'http' | 'importer' | 'watch' | 'sync';
/** A thread of the rack: that of a service, or one that answers beside `dns`, numbered from 2. */
export type ThreadName = ServiceName | `dns-${number}`;
type EventSource = ServiceName | 'rack';

/** What one event says beyond when, who and which machine. Plain JSON values; addresses and MACs in text. */
export type EventBody =
  | {
      readonly kind: 'dhcp.discover';
      readonly arch?: number;
      readonly vendorClass?: string;
      readonly userClass?: string;
      readonly relay?: string;
    }
  | { readonly kind: 'dhcp.bootp' }
  | { readonly kind: 'dhcp.offer'; readonly leaseSeconds: number; readonly bootFile?: string }
  | { readonly kind: 'dhcp.request'; readonly state: 'selecting' | 'init-reboot' | 'renewing'; readonly wanted: string }
  /** `expires`: Unix time in seconds, absent when the binding has no end. `name`: the machine's DNS name without domain. */
  | { readonly kind: 'dhcp.ack'; readonly expires?: number; readonly name?: string; readonly bootFile?: string }
  | { readonly kind: 'dhcp.nak'; readonly reason: string }
  /** It has an address and asked for the options only. */
  | { readonly kind: 'dhcp.inform'; readonly bootFile?: string }
  /** Beside another server's offer of an address: what to boot. */
  | { readonly kind: 'dhcp.proxy-offer'; readonly bootFile?: string }
  /** It asked the boot server itself, having its address from elsewhere. */
  | { readonly kind: 'dhcp.proxy-ack'; readonly bootFile?: string }
  /** On a proxy subnet: heard when its client asked another server for the address. */
  | { readonly kind: 'dhcp.elsewhere'; readonly server?: string }
  | { readonly kind: 'dhcp.release' }
  /** `reason`: why it is not believed. */
  | { readonly kind: 'dhcp.decline'; readonly reason?: string }
  /** The address is not offered, as `holder` (a MAC) answers for it. `reason`: why that is not believed, and it is offered. */
  | { readonly kind: 'dhcp.conflict'; readonly holder: string; readonly reason?: string }
  /** Addresses on these interfaces are offered unseen: told once, until `dhcp.conflict-check-on`. */
  | { readonly kind: 'dhcp.conflict-check-off'; readonly interfaces: readonly string[] }
  | { readonly kind: 'dhcp.conflict-check-on' }
  | { readonly kind: 'dhcp.expired' }
  /**
   * `server`: the other DHCP server that it took an address of. `subnet`: the one that is full, where that was told before.
   * `asked`: what it wanted, where that was no address to begin with.
   */
  | {
      readonly kind: 'dhcp.ignored';
      readonly reason: string;
      readonly server?: string;
      readonly subnet?: string;
      readonly asked?: 'request' | 'inform' | 'decline' | 'release';
    }
  | { readonly kind: 'dhcp.exhausted'; readonly subnet: string }
  /** More of a range is in use by strangers than is kept from machines: told once, until `dhcp.range-believed`. */
  | { readonly kind: 'dhcp.range-claimed'; readonly range: string }
  | { readonly kind: 'dhcp.range-believed'; readonly range: string }
  /** The disk takes no leases: told once, until `dhcp.store-works`. */
  | { readonly kind: 'dhcp.store-failed'; readonly reason: string }
  | { readonly kind: 'dhcp.store-works' }
  | {
      readonly kind: 'dhcp.store-replaced';
      readonly reason: string;
      readonly setAside: string;
      readonly recovered: number;
    }
  /** An operator ended the lease. */
  | { readonly kind: 'dhcp.revoked' }
  /** Leases of another server were taken over. */
  | { readonly kind: 'dhcp.imported'; readonly taken: number; readonly refused: number }
  /** The wall clock was set, by this many seconds, and the leases with it. */
  | { readonly kind: 'dhcp.clock-set'; readonly seconds: number }
  /** `blockSize`: what it asked to have the file in. */
  | { readonly kind: 'tftp.size-probe'; readonly file: string; readonly bytes: number; readonly blockSize?: number }
  /** `boots`: of a machine's script, the boot entry that it says, or `local`. */
  | {
      readonly kind: 'tftp.sent';
      readonly file: string;
      readonly bytes: number;
      readonly milliseconds: number;
      readonly retransmitted: number;
      readonly boots?: string;
    }
  /** It takes its time: told once of a transfer that is not over yet. `bytes`: of so many in all. */
  | { readonly kind: 'tftp.under-way'; readonly file: string; readonly bytes: number; readonly milliseconds: number }
  /** `block`: the last one that arrived, 0 for none. `silent`: the client gave no reason. */
  | {
      readonly kind: 'tftp.failed';
      readonly file: string;
      readonly reason: string;
      readonly blockSize?: number;
      readonly block?: number;
      readonly silent?: true;
    }
  /** `code`: of TFTP's errors; 1 is a file that is not there. */
  | { readonly kind: 'tftp.refused'; readonly file: string; readonly reason: string; readonly code?: number }
  | {
      readonly kind: 'http.sent';
      readonly path: string;
      readonly status: number;
      readonly bytes: number;
      readonly milliseconds: number;
      /** Milliseconds of these in which others went first. */
      readonly waited?: number;
      /** As of `tftp.sent`. */
      readonly boots?: string;
    }
  /** As `tftp.under-way`. */
  | { readonly kind: 'http.under-way'; readonly path: string; readonly bytes: number; readonly milliseconds: number }
  | { readonly kind: 'http.failed'; readonly path: string; readonly reason: string }
  | { readonly kind: 'http.refused'; readonly path: string; readonly status: number; readonly reason: string }
  /** The certificate files can't be used: told once for each fault. With `kept`, the pair before it is served on. */
  | { readonly kind: 'http.certificate-failed'; readonly reason: string; readonly kept: boolean }
  /** `expires`: Unix seconds. */
  | { readonly kind: 'http.certificate-loaded'; readonly subject: string; readonly expires: number }
  /** The first question of a client since its lease began. */
  | { readonly kind: 'dns.first-question'; readonly name: string; readonly type: string; readonly answer: string }
  /** It is asked no more while others are there, but to see whether it is back: told once, until `dns.upstream-works`. */
  | { readonly kind: 'dns.upstream-failed'; readonly upstream: string; readonly reason: string }
  /** After so many seconds. */
  | { readonly kind: 'dns.upstream-works'; readonly upstream: string; readonly seconds: number }
  /** It did not answer, and the Plan needs it no more. */
  | { readonly kind: 'dns.upstream-dismissed'; readonly upstream: string }
  /** Many answers in its name fit no question: it is asked by TCP for a while. */
  | { readonly kind: 'dns.upstream-forged'; readonly upstream: string }
  /** No TLS with it that can be trusted: told once for each reason, until `dns.tls-works`. */
  | { readonly kind: 'dns.tls-failed'; readonly upstream: string; readonly reason: string }
  | { readonly kind: 'dns.tls-works'; readonly upstream: string }
  /** Keys of `dns.keys` that can't be had: what is signed by them is refused. Told anew when it changes. */
  | { readonly kind: 'dns.keys-failed'; readonly faults: readonly string[] }
  | { readonly kind: 'dns.keys-work' }
  /** The disk takes no zones: told once, until `dns.store-works`. */
  | { readonly kind: 'dns.store-failed'; readonly reason: string }
  | { readonly kind: 'dns.store-works' }
  | { readonly kind: 'dns.store-replaced'; readonly reason: string; readonly setAside: string }
  /** A secondary can't be told that zones changed: told once, until `zone.notify-works`. */
  | {
      readonly kind: 'zone.notify-failed';
      readonly zone: string;
      readonly secondary: string;
      readonly reason: string;
    }
  | { readonly kind: 'zone.notify-works'; readonly secondary: string }
  /** A master file was read. `serial`: as it is written there. */
  | {
      readonly kind: 'zone.loaded';
      readonly zone: string;
      readonly records: number;
      readonly serial: number;
      readonly warnings: readonly string[];
    }
  /** It has faults, each with file and line. With `kept`, what was read before is served on. */
  | { readonly kind: 'zone.refused'; readonly zone: string; readonly faults: readonly string[]; readonly kept: boolean }
  /** By RFC 2136. `by`: the key, or the address where none is asked for. */
  | {
      readonly kind: 'zone.updated';
      readonly zone: string;
      readonly by: string;
      readonly added: number;
      readonly removed: number;
    }
  /** Its file came to say what some of the records that updates added or deleted can't stand beside: they are not served. */
  | { readonly kind: 'zone.overruled'; readonly zone: string; readonly records: number }
  /** Somebody has the whole zone now. `serial`: that it has. */
  | { readonly kind: 'zone.transferred'; readonly zone: string; readonly to: string; readonly serial: number }
  /** A question, where `dns.query-log` is on. */
  | { readonly kind: 'dns.query'; readonly name: string; readonly type: string; readonly answer: string }
  /** A machine was seen on the wire for the first time. `vlan`: "100", or "7.100" of one VLAN in another. */
  | { readonly kind: 'neighbour.new'; readonly interface: string; readonly vlan?: string }
  /** An address was another machine's until now: `from` is its MAC. */
  | { readonly kind: 'neighbour.moved'; readonly interface: string; readonly vlan?: string; readonly from: string }
  /** It is still there: told after ten minutes, to whoever listens; the timeline does not keep it. */
  | { readonly kind: 'neighbour.refreshed'; readonly interface: string; readonly vlan?: string }
  /** Told once, until `conflict.ended`. */
  | ({ readonly kind: 'conflict.began' } & ConflictWords)
  | ({ readonly kind: 'conflict.ended'; readonly seconds: number } & ConflictWords)
  /** Of these conflicts there are more than are told of: told once, until `conflict.shown`. `shown`: how many are. */
  | { readonly kind: 'conflict.hidden'; readonly conflict: ConflictName; readonly shown: number }
  | { readonly kind: 'conflict.shown'; readonly conflict: ConflictName }
  /** A DHCP server that is not ours, nor known: told once, until `dhcp-server.gone`. `offers`: an address it gave somebody. */
  | {
      readonly kind: 'dhcp-server.found';
      readonly interface: string;
      readonly server: string;
      readonly offers?: string;
      readonly router?: string;
      readonly bootFile?: string;
    }
  /** It was silent for long. */
  | { readonly kind: 'dhcp-server.gone'; readonly interface: string; readonly server: string }
  /** There are more of them than are told of: told once, until `dhcp-server.shown`. `shown`: how many are. */
  | { readonly kind: 'dhcp-server.hidden'; readonly shown: number }
  | { readonly kind: 'dhcp-server.shown' }
  /** These wires can't be watched, as raw sockets are not permitted: told once, until `watch.sees`. */
  | { readonly kind: 'watch.blind'; readonly interfaces: readonly string[] }
  | { readonly kind: 'watch.sees' }
  | { readonly kind: 'watch.scanned'; readonly asked: number; readonly answered: number }
  /** The disk takes no neighbours: told once, until `watch.store-works`. */
  | { readonly kind: 'watch.store-failed'; readonly reason: string }
  | { readonly kind: 'watch.store-works' }
  | { readonly kind: 'watch.store-replaced'; readonly reason: string; readonly setAside: string }
  /** Whoever is told of tells too much: of what follows only a part is kept in the timeline. */
  | { readonly kind: 'timeline.cut' }
  | { readonly kind: 'machine.report'; readonly report: MachineReport }
  /** It has had the boot entry, as that is for once. */
  | { readonly kind: 'boot.done'; readonly entry: string; readonly by: 'delivered' | 'reported' }
  /** It netbooted over and over. */
  | { readonly kind: 'boot.held'; readonly entry: string; readonly boots: number; readonly withinSeconds: number }
  /** It netboots the entry again. */
  | { readonly kind: 'boot.armed'; readonly entry: string; readonly because: 'reset' | 'changed' | 'quiet' }
  /** The disk takes no boot states: told once, until `boot.store-works`. */
  | { readonly kind: 'boot.store-failed'; readonly reason: string }
  | { readonly kind: 'boot.store-works' }
  | {
      readonly kind: 'boot.store-replaced';
      readonly reason: string;
      readonly setAside: string;
      readonly recovered: number;
    }
  | { readonly kind: 'image.import-started'; readonly sources: number }
  /** A version is here, whole and checked, and machines are told of it from now on. */
  | { readonly kind: 'image.published'; readonly image: string; readonly version: string; readonly bytes: number }
  /** Something of a source is not here, and why; what was here stays. */
  | { readonly kind: 'image.refused'; readonly source: string; readonly reason: string }
  | {
      readonly kind: 'image.import-ended';
      readonly how: 'whole' | 'in part' | 'stopped' | 'failed';
      readonly published: number;
      readonly bytes: number;
      readonly milliseconds: number;
      /** Where it failed by a fault of this rack. */
      readonly reason?: string;
    }
  /** A file on disk is not what it was; it is out of the way of machines. */
  | { readonly kind: 'image.spoilt'; readonly image: string; readonly file: string; readonly quarantine?: string }
  /** `setAside`: files that no image has, kept for a while after the index was begun anew. */
  | { readonly kind: 'image.removed'; readonly files: number; readonly bytes: number; readonly setAside?: number }
  | {
      readonly kind: 'image.index-replaced';
      readonly reason: string;
      /** Absent: there was none. */
      readonly setAside?: string;
      readonly recovered: number;
    }
  /** The index was begun anew beside files that are here: nothing is removed before all is accounted for. `since`: Unix milliseconds. */
  | { readonly kind: 'image.removal-held'; readonly reason: string; readonly since: number }
  | { readonly kind: 'image.removal-resumed' }
  /** The region answers: for the first time, or again after so many seconds. */
  | { readonly kind: 'region.connected'; readonly url: string; readonly seconds?: number }
  /** It can't be reached, or answers nothing that helps: told once, until `region.connected`. */
  | { readonly kind: 'region.lost'; readonly url: string; readonly reason: string }
  /** This rack has no key that the region takes: told once for each reason, until `region.connected`. */
  | { readonly kind: 'region.refused'; readonly reason: string }
  /** What was to be told to the region is given up, the oldest first: told once, until `region.connected`. `before`: Unix milliseconds. */
  | { readonly kind: 'region.forgotten'; readonly count: number; readonly before: number }
  /** It does not take this, while it takes other records; it is given up. `record`: its kind. */
  | { readonly kind: 'region.record-refused'; readonly record: string; readonly reason: string }
  /** It has so many records less than it had, as it was put back to an older time: it is told of all leases anew. */
  | { readonly kind: 'region.went-back'; readonly records: number }
  /** Somebody else tells the region things by this rack's name: what is to be told has another stream from now on. */
  | { readonly kind: 'region.doubled' }
  /** The clocks of rack and region are so far apart: told once, until `region.clock-right`. Above 0: the region's is ahead. */
  | { readonly kind: 'region.clock-wrong'; readonly seconds: number }
  | { readonly kind: 'region.clock-right' }
  | { readonly kind: 'region.key-changed' }
  /** It was put back to an older time and knew the key before: it was told of the present one anew, and takes that again. */
  | { readonly kind: 'region.key-restored' }
  /** The new key that it orders can't be written: told once for each reason, until `region.key-changed`. */
  | { readonly kind: 'region.key-failed'; readonly reason: string }
  /** What it ordered, which is done once. */
  | { readonly kind: 'region.ordered'; readonly order: 'import' | 'stopImport' | 'scan' | 'rotateKey' }
  /** The disk takes nothing that is to be told to the region: told once, until `region.outbox-works`. */
  | { readonly kind: 'region.outbox-failed'; readonly reason: string }
  | { readonly kind: 'region.outbox-works' }
  | { readonly kind: 'region.outbox-replaced'; readonly reason: string; readonly setAside: string }
  | { readonly kind: 'plan.applied'; readonly subnets: number; readonly hosts: number; readonly faults: number }
  | { readonly kind: 'plan.refused'; readonly faults: readonly string[] }
  /** What the region has for this rack is in force. `conflicts`: where the file says something else, and counts. */
  | { readonly kind: 'region.plan-taken'; readonly version: number; readonly conflicts: readonly string[] }
  /** It can't be served: what was before stays. */
  | { readonly kind: 'region.plan-refused'; readonly version: number; readonly faults: readonly string[] }
  /** What it had for this rack, as it was kept, can't be read, and is put aside. */
  | { readonly kind: 'region.plan-lost'; readonly reason: string }
  | { readonly kind: 'service.ready'; readonly service: ThreadName }
  | {
      readonly kind: 'service.failed';
      readonly service: ThreadName;
      readonly reason: string;
      readonly retryMilliseconds: number;
    }
  | { readonly kind: 'rack.ready'; readonly milliseconds: number }
  | { readonly kind: 'rack.stopping'; readonly reason: string };

/** What is wrong with a machine that uses an address on `interface`. MACs and addresses as text. */
type ConflictName =
  | 'two-machines'
  | 'own-address'
  | 'host-address'
  | 'leased-address'
  | 'wrong-address'
  | 'many-addresses'
  | 'squatted';

interface ConflictWords {
  readonly interface: string;
  readonly conflict: ConflictName;
  /** The other machine's MAC: who has the address too, or by lease. */
  readonly other?: string;
  /** The host whose address it is; of `wrong-address` the one that the machine is. */
  readonly host?: string;
  /** Of `wrong-address`: the one it should use. */
  readonly wanted?: string;
}

/** Something a service did or saw, with the machine it concerns. */
export type RackEvent = EventBody & {
  /** Unix time in milliseconds. */
  readonly at: number;
  readonly source: EventSource;
  /** The machine, as 52:54:00:12:34:56; where a service knows only the address, the rack fills this in from the lease. */
  readonly mac?: string;
  readonly address?: string;
};

/** What a machine says of itself by POST /report (design §6); everything but the stage is optional. */
export interface MachineReport {
  readonly stage: string;
  readonly name?: string;
  readonly cores?: number;
  readonly memoryBytes?: number;
  readonly disks?: readonly { readonly name: string; readonly bytes: number }[];
  readonly nics?: readonly { readonly name: string; readonly mac: string }[];
}
