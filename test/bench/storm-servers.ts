import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { efiProgram, x86Kernel } from '../fixtures/programs.ts';
import { HTTP_PORT, HTTP_SERVERS, SERVER_ADDRESS, type FileServer } from './file-servers.ts';
import { prepareRackboot } from './rackboot-server.ts';

const LOADER = 'loader.efi';

/** As large as snponly.efi, and a kernel and initrd of an installer. */
export const STORM_FILES: readonly { readonly name: string; readonly bytes: number; readonly header?: Uint8Array }[] = [
  { name: LOADER, bytes: 300 * 1024, header: efiProgram() },
  { name: 'vmlinuz', bytes: 8 * 2 ** 20, header: x86Kernel() },
  { name: 'initrd', bytes: 32 * 2 ** 20 },
];

/** Addresses from 10.2.0.0/16, without a look whether someone else has one: both would find the machines' side itself. */
export const STORM_SERVERS: readonly FileServer[] = [
  {
    name: 'rackboot',
    prepare: async (directory, files) =>
      prepareRackboot(
        directory,
        `subnets:
  - { cidr: 10.0.0.0/12, interface: serve, management: dhcp, dynamic: 10.2.0.1-10.2.255.254, lease: 1h, conflict-check: off }
boot:
  files: ${files}
  default: linux
  loaders: { uefi: ${LOADER} }
  entries:
    linux: { kernel: vmlinuz, initrd: initrd, cmdline: quiet }
`,
      ),
  },
  {
    name: 'dnsmasq+nginx',
    prepare: async (directory, files) => {
      const url = `http://${SERVER_ADDRESS}:${HTTP_PORT}`;
      writeFileSync(join(files, 'boot.ipxe'), `#!ipxe\nkernel ${url}/vmlinuz quiet\ninitrd ${url}/initrd\nboot\n`);
      const config = join(directory, 'dnsmasq.conf');
      writeFileSync(
        config,
        `port=0
interface=serve
dhcp-authoritative
no-ping
dhcp-lease-max=100000
dhcp-range=10.2.0.1,10.2.255.254,255.240.0.0,1h
dhcp-leasefile=${directory}/leases
dhcp-match=set:ipxe,175
dhcp-match=set:efi,option:client-arch,7
dhcp-boot=tag:ipxe,${url}/boot.ipxe
dhcp-boot=tag:efi,tag:!ipxe,${LOADER}
enable-tftp
tftp-root=${files}
tftp-max=2000
quiet-dhcp
quiet-tftp
log-facility=-
keep-in-foreground
user=root
pid-file=${directory}/dnsmasq.pid
`,
      );
      const nginx = await HTTP_SERVERS.find(({ name }) => name === 'nginx')?.prepare(directory, files);
      return ['sh', '-c', `${nginx?.join(' ')} & exec /usr/sbin/dnsmasq -C ${config}`];
    },
  },
];
