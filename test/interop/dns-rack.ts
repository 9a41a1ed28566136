import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { RackRig, SIMPLE } from './rack-rig.ts';

/** A lease with a name, beside the host `node1` of the config. */
export const LEASE = { name: 'laptop.rack.test', address: '192.168.127.150' };

/** One of everything a client may want to see, and a set that fits no UDP reply. */
const ZONE = `$ORIGIN lab.test.
$TTL 600
@        SOA ns1 hostmaster 7 3600 600 604800 60
@        NS ns1
@        MX 10 mail
@        CAA 0 issue "ca.example"
ns1      A 192.168.127.1
mail     A 192.168.127.25
www      A 192.168.127.80
www      AAAA 2001:db8::80
alias    CNAME www
chain    CNAME alias
outside  CNAME www.elsewhere.test.
lost     CNAME nowhere
*.wild   A 192.168.127.81
leaf.of.ent TXT "below an empty non-terminal"
quoted   TXT "two words" "semi;colon" "back\\\\slash"
_sip._tcp SRV 10 20 5060 www
svc      HTTPS 1 . alpn=h2 ipv4hint=192.168.127.80
odd      TYPE65280 \\# 3 010203
Mixed    TXT "as written"
sub      NS ns.sub
ns.sub   A 192.168.127.53
many     TXT "${'m'.repeat(250)}"
$GENERATE 1-12 many TXT "$ ${'m'.repeat(240)}"
`;

/** The rack of `SIMPLE`, its own zones with a host and a lease, and a zone from a file. */
export async function startDnsRack(suffix: string): Promise<RackRig> {
  const rig = await RackRig.create(suffix, `${SIMPLE}dns: { zones: [{ name: lab.test, file: lab.test.zone }] }\n`);
  writeFileSync(join(rig.directory, 'lab.test.zone'), ZONE);
  await rig.start();
  await importLease(rig);
  return rig;
}

async function importLease(rig: RackRig): Promise<void> {
  const file = join(rig.directory, 'leases.csv');
  const columns =
    'address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context,pool_id';
  const end = Math.floor(Date.now() / 1000) + 3000;
  writeFileSync(file, `${columns}\n${LEASE.address},02:aa:00:00:00:01,,3600,${end},1,0,0,laptop,0,,0\n`);
  const { code, output } = await rig.rackboot('leases', 'import', '--from', 'kea', file);
  assert.equal(code, 0, output);
}
