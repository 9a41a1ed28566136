import { parseCidr } from '../../src/addr/cidr.ts';
import { parseIp4, toIp4, type Ip4 } from '../../src/addr/ip4.ts';
import { parseMac, type Mac } from '../../src/addr/mac.ts';
import type { BootCatalogue, BootEntry, Host, Plan } from '../../src/plan/plan.ts';
import { NO_DNS } from '../plan/no-dns.ts';

export function ip4(text: string): Ip4 {
  const address = parseIp4(text);
  if (address === undefined) throw new Error(`not an address: ${text}`);
  return address;
}

export function mac(text: string): Mac {
  const address = parseMac(text);
  if (address === undefined) throw new Error(`not a MAC: ${text}`);
  return address;
}

export const DEBIAN: BootEntry = {
  name: 'debian',
  kernel: { path: 'debian/vmlinuz', file: '/srv/files/debian/vmlinuz' },
  initrd: [
    { path: 'debian/initrd.gz', file: '/srv/files/debian/initrd.gz' },
    { path: 'debian/my firmware.cpio', file: '/srv/firmware.cpio' },
  ],
  cmdline: 'console=ttyS0 rackboot=${rack} --- quiet',
};

const RESCUE: BootEntry = {
  name: 'rescue',
  kernel: { path: 'rescue/bzImage', file: '/srv/files/rescue/bzImage' },
  initrd: [],
  cmdline: '',
};

const HOSTS: readonly Host[] = [
  { name: 'node1', macs: [mac('52:54:00:12:34:56'), mac('52:54:00:12:34:57')], boot: 'debian' },
  { name: 'node2', macs: [mac('52:54:00:00:00:02')], address: ip4('192.0.2.42'), boot: 'local' },
];

/** A rack with two known hosts, two boot entries and all loaders. */
export function testPlan(boot: Partial<BootCatalogue> = {}, hosts: readonly Host[] = HOSTS): Plan {
  const cidr = parseCidr('192.0.2.0/24');
  if (cidr === undefined) throw new Error('not a network');
  const broadcast = ip4('192.0.2.255');
  return {
    rack: { name: 'rack-a1', state: '/var/lib/rackboot', control: '/run/rackboot/control.sock' },
    subnets: [{ cidr, management: 'dhcp+dns', broadcast, dns: [], leaseSeconds: 3600 }],
    hosts,
    boot: {
      files: '/srv/files',
      default: 'local',
      entries: [DEBIAN, RESCUE],
      loaders: {
        bios: { path: 'undionly.kpxe', file: '/usr/lib/ipxe/undionly.kpxe' },
        uefi: { path: 'snponly.efi', file: '/usr/lib/ipxe/snponly.efi' },
        'uefi-ia32': { path: 'ia32.efi', file: '/srv/files/ia32.efi' },
        'uefi-arm64': { path: 'snponly-arm64.efi', file: '/usr/lib/ipxe/snponly-arm64.efi' },
      },
      ...boot,
    },
    http: { port: 5248 },
    tftp: { blockSize: 1468, window: 64, transfers: 4000, perClient: 1000, singlePort: false },
    dns: NO_DNS,
    admin: { address: toIp4(0x7f000001), port: 5249 },
    log: { level: 'info' },
    timeline: { ageSeconds: 30 * 86_400, bytes: 64 * 2 ** 20 },
  };
}
