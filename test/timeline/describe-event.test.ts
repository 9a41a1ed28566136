import assert from 'node:assert/strict';
import { test } from 'node:test';

import { describeEvent } from '../../src/timeline/describe-event.ts';
import type { EventBody } from '../../src/timeline/event.ts';

/** At least one of each kind: the type asks for it. */
const SENTENCES: {
  readonly [K in EventBody['kind']]: readonly (readonly [Omit<EventBody & { kind: K }, 'kind'>, string])[];
} = {
  'dhcp.discover': [
    [{}, 'asks for an address'],
    [{ arch: 7 }, 'asks for an address (arch 7)'],
    [{ arch: 0 }, 'asks for an address (arch 0)'],
    [
      { arch: 7, vendorClass: 'PXEClient', userClass: 'iPXE', relay: '10.0.0.1' },
      'asks for an address (iPXE, PXEClient, arch 7) through relay 10.0.0.1',
    ],
  ],
  'dhcp.offer': [
    [{ leaseSeconds: 43_200 }, 'is offered it for 12 h'],
    [{ leaseSeconds: 90, bootFile: 'snponly.efi' }, 'is offered it for 90 s, to boot snponly.efi'],
  ],
  'dhcp.request': [[{ state: 'init-reboot', wanted: '192.0.2.5' }, 'requests 192.0.2.5 (init-reboot)']],
  'dhcp.ack': [
    [{}, 'has it'],
    [
      { expires: 1_700_000_000, name: 'node1', bootFile: 'undionly.kpxe' },
      'has it as node1 until 2023-11-14T22:13:20Z, to boot undionly.kpxe',
    ],
  ],
  'dhcp.nak': [[{ reason: 'it is taken' }, 'is refused its address: it is taken']],
  'dhcp.bootp': [[{}, 'asks for an address by BOOTP']],
  'dhcp.inform': [
    [{}, 'has its address from elsewhere and is told the options'],
    [{ bootFile: 'a.efi' }, 'has its address from elsewhere and is told the options, to boot a.efi'],
  ],
  'dhcp.proxy-offer': [[{ bootFile: 'a.efi' }, 'is told, beside its offer of an address, to boot a.efi']],
  'dhcp.proxy-ack': [[{ bootFile: 'a.efi' }, 'asks the boot server and is told to boot a.efi']],
  'dhcp.elsewhere': [
    [{ server: '192.0.2.2' }, 'takes its address from the DHCP server 192.0.2.2'],
    [{}, 'takes its address from elsewhere'],
  ],
  'dhcp.release': [[{}, 'gives its address back']],
  'dhcp.decline': [
    [{}, 'says that its address is in use by someone else'],
    [{ reason: 'too often' }, 'says that its address is in use by someone else, and is not believed: too often'],
  ],
  'dhcp.conflict': [
    [{ holder: '02:00:00:00:00:0b' }, 'is not offered it: 02:00:00:00:00:0b uses it'],
    [
      { holder: '02:00:00:00:00:0b', reason: 'too many' },
      'is offered it although 02:00:00:00:00:0b answers for it: too many',
    ],
  ],
  'dhcp.conflict-check-off': [
    [
      { interfaces: ['eth0', 'eth1'] },
      'addresses are offered without a look whether someone uses them: no raw socket on eth0, eth1',
    ],
  ],
  'dhcp.conflict-check-on': [[{}, 'addresses are looked for on the wire again before they are offered']],
  'dhcp.expired': [[{}, 'let its lease run out']],
  'dhcp.ignored': [[{ reason: 'meant for another server' }, 'is not answered: meant for another server']],
  'dhcp.exhausted': [[{ subnet: '192.0.2.0/24' }, 'finds no free address in 192.0.2.0/24']],
  'dhcp.range-claimed': [
    [
      { range: '192.0.2.10-192.0.2.20' },
      'most of 192.0.2.10-192.0.2.20 is answered for by machines that nobody lent it to: the rest is given out whoever claims it',
    ],
  ],
  'dhcp.range-believed': [
    [{ range: '192.0.2.10-192.0.2.20' }, 'of 192.0.2.10-192.0.2.20 so little is claimed again that it is believed'],
  ],
  'dhcp.store-failed': [
    [
      { reason: 'disk full' },
      "leases can't be written: no new one is given, running ones are confirmed for the time they have left: disk full",
    ],
  ],
  'dhcp.store-works': [[{}, 'leases can be written again: new ones are given']],
  'dhcp.store-replaced': [
    [
      { reason: 'not a database', setAside: '/s/leases.db.corrupt-x', recovered: 1 },
      'the lease file is damaged (not a database): set aside as /s/leases.db.corrupt-x, 1 lease recovered from it',
    ],
  ],
  'dhcp.revoked': [[{}, 'loses its lease: an operator ended it']],
  'dhcp.imported': [[{ taken: 1, refused: 2 }, '1 lease of another server taken over, 2 refused']],
  'dhcp.clock-set': [[{ seconds: -60 }, 'the clock was set by -60 s: the leases go on for as long as before']],
  'tftp.size-probe': [[{ file: 'a', bytes: 5 }, 'asks by TFTP for the size of a: 5 bytes']],
  'tftp.sent': [
    [
      { file: 'a', bytes: 5, milliseconds: 7, retransmitted: 1 },
      'fetched a by TFTP: 5 bytes in 7 ms, 1 blocks sent again',
    ],
    [
      { file: 'a', bytes: 5, milliseconds: 7, retransmitted: 0, boots: 'local' },
      'fetched a by TFTP: 5 bytes in 7 ms, 0 blocks sent again; it says to boot its own disk',
    ],
  ],
  'timeline.cut': [[{}, 'tells more than is kept here: of what follows only a part is, all of it is in the log']],
  'tftp.under-way': [
    [{ file: 'a', bytes: 5, milliseconds: 21_400 }, 'is still fetching a by TFTP, 5 bytes, after 21 s'],
  ],
  'tftp.failed': [[{ file: 'a', reason: 'no answer' }, 'did not get a by TFTP: no answer']],
  'tftp.refused': [[{ file: 'a', reason: 'no such file' }, 'is refused a by TFTP: no such file']],
  'http.sent': [
    [{ path: '/a', status: 206, bytes: 5, milliseconds: 7 }, 'fetched /a by HTTP: 206, 5 bytes in 7 ms'],
    [
      { path: '/a', status: 200, bytes: 5, milliseconds: 7, waited: 3 },
      'fetched /a by HTTP: 200, 5 bytes in 7 ms, 3 of them behind others',
    ],
    [
      { path: '/a', status: 200, bytes: 5, milliseconds: 7, boots: 'debian' },
      'fetched /a by HTTP: 200, 5 bytes in 7 ms; it says to boot debian',
    ],
  ],
  'http.under-way': [
    [{ path: '/a', bytes: 5, milliseconds: 21_400 }, 'is still fetching /a by HTTP, 5 bytes, after 21 s'],
  ],
  'http.failed': [[{ path: '/a', reason: 'gone' }, 'did not get /a by HTTP: gone']],
  'http.refused': [
    [{ path: '/a', status: 404, reason: 'no such file' }, 'is refused /a by HTTP: 404, no such file'],
    [{ path: '', status: 400, reason: 'no request' }, 'is refused something by HTTP: 400, no request'],
  ],
  'http.certificate-failed': [
    [{ reason: 'a is no key', kept: false }, 'HTTPS is not served: a is no key'],
    [
      { reason: 'a is no key', kept: true },
      "the certificate files can't be used, the certificate before them is served on: a is no key",
    ],
  ],
  'http.certificate-loaded': [
    [
      { subject: 'DNS:rack', expires: 1_800_000_000 },
      'HTTPS is served for DNS:rack, with a certificate until 2027-01-15T08:00:00Z',
    ],
  ],
  'dns.first-question': [
    [{ name: 'node1.rack', type: 'A', answer: '192.0.2.5' }, 'asks for its first name, node1.rack A: 192.0.2.5'],
  ],
  'dns.upstream-failed': [
    [{ upstream: '192.0.2.53', reason: 'no answer' }, 'the upstream 192.0.2.53 does not answer: no answer'],
  ],
  'dns.upstream-works': [[{ upstream: '192.0.2.53', seconds: 7 }, 'the upstream 192.0.2.53 answers again, after 7 s']],
  'dns.upstream-dismissed': [
    [{ upstream: '192.0.2.53' }, 'the upstream 192.0.2.53, which does not answer, is asked no more'],
  ],
  'dns.upstream-forged': [
    [
      { upstream: '192.0.2.53' },
      'somebody sends answers in the name of the upstream 192.0.2.53: it is asked by TCP for a minute, which must get through to it',
    ],
  ],
  'dns.tls-failed': [
    [
      { upstream: '192.0.2.53:853/dns.example', reason: 'certificate has expired' },
      'no TLS with the upstream 192.0.2.53:853/dns.example: certificate has expired',
    ],
  ],
  'dns.tls-works': [
    [{ upstream: '192.0.2.53:853/dns.example' }, 'TLS with the upstream 192.0.2.53:853/dns.example works again'],
  ],
  'dns.query': [[{ name: 'node1.rack', type: 'A', answer: '192.0.2.5' }, 'asks for node1.rack A: 192.0.2.5']],
  'neighbour.new': [
    [{ interface: 'eth0' }, 'is seen on eth0 for the first time'],
    [{ interface: 'eth0', vlan: '7.100' }, 'is seen on eth0 in VLAN 7.100 for the first time'],
  ],
  'neighbour.moved': [
    [{ interface: 'eth0', from: '02:00:00:00:00:0b' }, "has it now on eth0, which was 02:00:00:00:00:0b's"],
  ],
  'neighbour.refreshed': [[{ interface: 'eth0' }, 'is still there on eth0']],
  'conflict.began': [
    [
      { interface: 'eth0', conflict: 'two-machines', other: '02:00:00:00:00:0b' },
      'has an address that 02:00:00:00:00:0b has too (on eth0)',
    ],
    [{ interface: 'eth0', conflict: 'own-address' }, 'claims an address of this rack (on eth0)'],
    [{ interface: 'eth0', conflict: 'host-address', host: 'node1' }, 'uses the address of host node1 (on eth0)'],
    [
      { interface: 'eth0', conflict: 'leased-address', other: '02:00:00:00:00:0b' },
      'uses an address that is lent to 02:00:00:00:00:0b (on eth0)',
    ],
    [
      { interface: 'eth0', conflict: 'wrong-address', host: 'node1', wanted: '192.0.2.9' },
      'is host node1, which has 192.0.2.9, and uses another address (on eth0)',
    ],
    [
      { interface: 'eth0', conflict: 'many-addresses' },
      'answers for many addresses that are not its own: it listens in, or is a router that does so for all (proxy ARP) and not the one that the file names (on eth0)',
    ],
    [{ interface: 'eth0', conflict: 'squatted' }, 'uses an address of a range that nobody lent it (on eth0)'],
  ],
  'conflict.ended': [
    [
      { interface: 'eth0', conflict: 'squatted', seconds: 90 },
      'over after 90 s: uses an address of a range that nobody lent it (on eth0)',
    ],
  ],
  'conflict.hidden': [
    [{ conflict: 'squatted', shown: 24 }, 'there are more conflicts of the kind squatted than the 24 that are shown'],
  ],
  'conflict.shown': [[{ conflict: 'squatted' }, 'all conflicts of the kind squatted are shown again']],
  'dhcp-server.found': [
    [{ interface: 'eth0', server: '10.0.0.9' }, 'a DHCP server that is not known, 10.0.0.9, is on eth0'],
    [
      { interface: 'eth0', server: '10.0.0.9', offers: '10.0.0.50' },
      'a DHCP server that is not known, 10.0.0.9, is on eth0: it offers 10.0.0.50',
    ],
    [
      { interface: 'eth0', server: '10.0.0.9', offers: '10.0.0.50', router: '10.0.0.1', bootFile: 'a.efi' },
      'a DHCP server that is not known, 10.0.0.9, is on eth0: it offers 10.0.0.50 with router 10.0.0.1, to boot a.efi',
    ],
  ],
  'dhcp-server.gone': [[{ interface: 'eth0', server: '10.0.0.9' }, 'the DHCP server 10.0.0.9 on eth0 is silent']],
  'dhcp-server.hidden': [
    [
      { shown: 16 },
      'there are more DHCP servers that are not known than the 16 that are shown: somebody makes them up',
    ],
  ],
  'dhcp-server.shown': [[{}, 'all DHCP servers that are not known are shown again']],
  'watch.blind': [[{ interfaces: ['eth0', 'eth1'] }, 'who is on the wire is not seen: no raw socket on eth0, eth1']],
  'watch.sees': [[{}, 'who is on the wire is seen again']],
  'watch.scanned': [
    [{ asked: 254, answered: 3 }, 'looked for machines at 254 addresses: 3 answered'],
    [{ asked: 1, answered: 0 }, 'looked for machines at 1 address: 0 answered'],
  ],
  'watch.store-failed': [
    [{ reason: 'disk is full' }, "neighbours can't be written, and are forgotten when rackboot ends: disk is full"],
  ],
  'watch.store-works': [[{}, 'neighbours are written again']],
  'watch.store-replaced': [
    [
      { reason: 'malformed', setAside: '/var/lib/rackboot/neighbours.db.corrupt-1' },
      'the file of neighbours is damaged (malformed): set aside as /var/lib/rackboot/neighbours.db.corrupt-1; they are learnt anew',
    ],
  ],
  'machine.report': [[{ report: { stage: 'up' } }, 'reports stage "up"']],
  'boot.done': [
    [
      { entry: 'debian', by: 'delivered' },
      'has had the boot entry debian, as it was sent all of it: boots its own disk from now on',
    ],
    [
      { entry: 'debian', by: 'reported' },
      'has had the boot entry debian, as it reported that it is installed: boots its own disk from now on',
    ],
  ],
  'boot.held': [
    [
      { entry: 'debian', boots: 8, withinSeconds: 7200 },
      'netbooted debian 8 times within 2 h: boots its own disk from now on',
    ],
    [
      { entry: 'debian', boots: 3, withinSeconds: 90 },
      'netbooted debian 3 times within 2 min: boots its own disk from now on',
    ],
  ],
  'dns.keys-failed': [
    [
      { faults: ['a in /a: ENOENT', 'b in /b: open'] },
      'what is signed by these keys is refused: a in /a: ENOENT; b in /b: open',
    ],
  ],
  'dns.keys-work': [[{}, 'all keys can be had again']],
  'dns.store-failed': [
    [
      { reason: 'disk full' },
      "zones can't be written: they are served and transferred from memory, and take no updates: disk full",
    ],
  ],
  'dns.store-works': [[{}, 'zones are written again']],
  'dns.store-replaced': [
    [
      { reason: 'not a database', setAside: '/s/zones.db.corrupt-x' },
      'the file of zones is damaged (not a database): set aside as /s/zones.db.corrupt-x; names that came by updates are lost',
    ],
  ],
  'zone.notify-failed': [
    [
      { zone: 'rack.example', secondary: '192.0.2.9', reason: 'it does not answer' },
      "the secondary 192.0.2.9 can't be told that rack.example changed: it does not answer",
    ],
  ],
  'zone.notify-works': [[{ secondary: '192.0.2.9' }, 'the secondary 192.0.2.9 hears of changes again']],
  'zone.loaded': [
    [{ zone: 'lab.example', records: 1, serial: 7, warnings: [] }, 'zone lab.example loaded: 1 record, serial 7'],
    [
      { zone: 'lab.example', records: 12, serial: 7, warnings: ['z:5: a', 'z:6: b'] },
      'zone lab.example loaded: 12 records, serial 7; but z:5: a; z:6: b',
    ],
  ],
  'zone.refused': [
    [
      { zone: 'lab.example', faults: ['z:5: expected a, found b'], kept: true },
      'zone lab.example refused, what was read before stays: z:5: expected a, found b',
    ],
    [
      { zone: 'lab.example', faults: ['z:5: x', 'z:6: y'], kept: false },
      'zone lab.example refused, it is not served: z:5: x; z:6: y',
    ],
  ],
  'zone.updated': [
    [
      { zone: 'lab.example', by: 'ddns.example', added: 2, removed: 1 },
      'ddns.example updated lab.example: 2 records added, 1 record removed',
    ],
  ],
  'zone.overruled': [
    [
      { zone: 'lab.example', records: 1 },
      'the file of lab.example leaves no place for 1 record of its updates: "rackboot zones updates lab.example" names them',
    ],
  ],
  'zone.transferred': [
    [{ zone: 'lab.example', to: '192.0.2.9', serial: 7 }, '192.0.2.9 has all of lab.example, serial 7'],
  ],
  'boot.armed': [
    [{ entry: 'debian', because: 'reset' }, 'netboots debian again when it is to: an operator reset it'],
    [{ entry: 'debian', because: 'quiet' }, 'netboots debian again when it is to: it has not asked for long'],
  ],
  'boot.store-failed': [
    [{ reason: 'disk full' }, "boot states can't be written, and are forgotten when rackboot ends: disk full"],
  ],
  'boot.store-works': [[{}, 'boot states are written again']],
  'boot.store-replaced': [
    [
      { reason: 'not a database', setAside: '/s/boots.db.corrupt-x', recovered: 1 },
      'the file of boot states is damaged (not a database): set aside as /s/boots.db.corrupt-x, 1 state recovered from it',
    ],
  ],
  'image.import-started': [
    [{ sources: 1 }, 'import of images from 1 source begins'],
    [{ sources: 2 }, 'import of images from 2 sources begins'],
  ],
  'image.published': [
    [
      { image: 'ubuntu/noble/amd64', version: '20240418', bytes: 7 },
      'image ubuntu/noble/amd64 20240418 is here, 7 bytes: machines get it from now on',
    ],
  ],
  'image.refused': [[{ source: 'maas', reason: 'answers 404' }, 'images of maas: answers 404']],
  'image.import-ended': [
    [
      { how: 'whole', published: 1, bytes: 7, milliseconds: 9 },
      'import of images is done: 1 new version, 7 bytes to fetch, 9 ms',
    ],
    [
      { how: 'in part', published: 2, bytes: 7, milliseconds: 9 },
      'import of images is done in part: 2 new versions, 7 bytes to fetch, 9 ms',
    ],
    [
      { how: 'stopped', published: 0, bytes: 0, milliseconds: 9 },
      'import of images was stopped: 0 new versions, 0 bytes to fetch, 9 ms',
    ],
    [
      { how: 'failed', published: 0, bytes: 0, milliseconds: 9, reason: 'no disk' },
      'import of images failed: 0 new versions, 0 bytes to fetch, 9 ms: no disk',
    ],
  ],
  'image.spoilt': [
    [{ image: 'ubuntu/noble', file: 'squashfs' }, 'file squashfs of image ubuntu/noble is spoilt on disk, or gone'],
    [
      { image: 'ubuntu/noble', file: 'squashfs', quarantine: '/q/x' },
      'file squashfs of image ubuntu/noble is spoilt on disk: set aside as /q/x',
    ],
  ],
  'image.removed': [
    [{ files: 3, bytes: 7 }, '3 files of images removed, 7 bytes'],
    [
      { files: 0, bytes: 0, setAside: 1 },
      '0 files of images removed, 0 bytes, and 1 file that no image has set aside in quarantine',
    ],
  ],
  'image.index-replaced': [
    [
      { reason: 'bad page', setAside: '/s/images.db.corrupt', recovered: 1 },
      'the index of images is damaged (bad page): set aside as /s/images.db.corrupt, 1 version recovered from it',
    ],
    [
      { reason: 'no such file', recovered: 0 },
      'the index of images is gone (no such file): begun anew beside the files of images',
    ],
  ],
  'image.removal-held': [
    [
      { reason: 'bad page', since: 0 },
      'no file of an image is removed, as the index of images was begun anew at 1970-01-01T00:00:00.000Z (bad page): not before every source was imported whole; images that were added by hand are to be added again',
    ],
  ],
  'image.removal-resumed': [
    [
      {},
      'every source was imported whole since the index of images was begun anew: files that no image has are removed again',
    ],
  ],
  'plan.applied': [
    [{ subnets: 1, hosts: 0, faults: 2 }, 'plan applied: 1 subnet, 0 hosts, 2 faults'],
    [{ subnets: 2, hosts: 1, faults: 1 }, 'plan applied: 2 subnets, 1 host, 1 fault'],
  ],
  'plan.refused': [[{ faults: ['a', 'b'] }, 'plan refused, the one before stays: a; b']],
  'region.connected': [
    [{ url: 'https://region.test:5240' }, 'in step with the region at https://region.test:5240'],
    [
      { url: 'https://region.test:5240', seconds: 90 },
      'in step with the region at https://region.test:5240 again, after 90 s',
    ],
  ],
  'region.lost': [
    [
      { url: 'https://region.test:5240', reason: 'answers 502' },
      "the region at https://region.test:5240 can't be followed, all goes on as it is: answers 502",
    ],
  ],
  'region.refused': [[{ reason: 'answers 401' }, 'the region does not know this rack: answers 401']],
  'region.forgotten': [
    [
      { count: 3, before: 1_700_000_000_000 },
      'the region is away for too long: what is to be told to it is given up, up to 2023-11-14T22:13:20.000Z',
    ],
  ],
  'region.record-refused': [
    [
      { record: 'dhcp.ack', reason: 'answers 400' },
      "the region can't take an event (dhcp.ack), and is not told of it: answers 400",
    ],
  ],
  'region.went-back': [
    [
      { records: 2 },
      'the region has forgotten 2 events that it had of this rack, as if it was put back to an older time: it is told of all leases anew',
    ],
  ],
  'region.doubled': [
    [
      {},
      'somebody else reports to the region as this rack: was its state directory copied? `rackboot enrol` makes the copy a rack of its own',
    ],
  ],
  'region.clock-wrong': [
    [{ seconds: 90 }, "the clocks of this rack and its region are 90 s apart: the region's is ahead"],
    [{ seconds: -90 }, "the clocks of this rack and its region are 90 s apart: this rack's is ahead"],
  ],
  'region.clock-right': [[{}, 'the clocks of this rack and its region agree again']],
  'region.key-changed': [[{}, 'the region knows this rack by a new key']],
  'region.key-restored': [
    [
      {},
      'the region knew this rack by the key before, as if it was put back to an older time: it was told of the present one anew, and takes it again',
    ],
  ],
  'region.key-failed': [
    [{ reason: 'full' }, "the new key that the region orders can't be written, the old one is used on: full"],
  ],
  'region.ordered': [
    [{ order: 'import' }, 'the region orders: import images'],
    [{ order: 'rotateKey' }, 'the region orders: take a new key'],
  ],
  'region.outbox-failed': [
    [{ reason: 'full' }, "what is to be told to the region can't be written, and waits in memory: full"],
  ],
  'region.outbox-works': [[{}, 'what is to be told to the region is written again']],
  'region.outbox-replaced': [
    [
      { reason: 'r', setAside: '/s' },
      'the file of what is to be told to the region is damaged (r): set aside as /s, and begun anew',
    ],
  ],
  'region.plan-taken': [
    [{ version: 7, conflicts: [] }, 'plan 7 of the region is in force'],
    [{ version: 7, conflicts: ['a', 'b'] }, 'plan 7 of the region is in force; a; b'],
  ],
  'region.plan-refused': [
    [{ version: 8, faults: ['a', 'b'] }, 'plan 8 of the region refused, what is in force stays: a; b'],
  ],
  'region.plan-lost': [
    [{ reason: 'x' }, "the region's plan can't be read and is put aside until the region gives it again: x"],
  ],
  'service.ready': [[{ service: 'dns' }, 'dns serves']],
  'service.failed': [
    [{ service: 'dns', reason: 'broken', retryMilliseconds: 100 }, 'dns failed and starts again in 100 ms: broken'],
  ],
  'rack.ready': [[{ milliseconds: 400 }, 'ready after 400 ms']],
  'rack.stopping': [[{ reason: 'SIGTERM' }, 'stopping: SIGTERM']],
};

for (const [kind, rows] of Object.entries(SENTENCES)) {
  for (const [body, sentence] of rows) {
    test(`${kind}: ${sentence}`, () => {
      assert.equal(describeEvent({ kind, ...body } as EventBody), sentence);
    });
  }
}
