import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { PackageNeed } from '../../src/lab/debian-packages.ts';
import { prepareRackboot } from './rackboot-server.ts';
import { unpackedProgram } from './unpacked-programs.ts';

export const SERVER_ADDRESS = '10.0.0.1';
export const HTTP_PORT = 5248;

/** A server of boot files as the benches start it: in the foreground, quiet, otherwise as Debian sets it up. */
export interface FileServer {
  readonly name: string;
  /** The cores that it may use; one unless given. */
  readonly cores?: number;
  /** Writes its config into `directory`, which is its own; `files` is what it serves. Returns what to start. */
  prepare(directory: string, files: string): Promise<readonly string[]>;
}

export const FILE_SERVER_PACKAGES: readonly PackageNeed[] = [
  { package: 'iproute2', provides: ['ip'] },
  { package: 'wrk', provides: ['wrk'] },
  { package: 'dnsmasq-base', provides: ['/usr/sbin/dnsmasq'] },
  // The TFTP servers' only needs beside libc; they themselves are unpacked, not installed
  { package: 'libwrap0', provides: ['/usr/share/doc/libwrap0'] },
  { package: 'libpcre2-8-0', provides: ['/usr/share/doc/libpcre2-8-0'] },
];

export const RACKBOOT: FileServer = {
  name: 'rackboot',
  prepare: async (directory, files) =>
    prepareRackboot(
      directory,
      `subnets:
  - { cidr: 10.0.0.0/12, interface: serve, management: dhcp, dynamic: 10.2.0.0-10.2.255.255 }
boot: { files: ${files} }
`,
    ),
};

export const TFTP_SERVERS: readonly FileServer[] = [
  RACKBOOT,
  {
    name: 'tftpd-hpa',
    prepare: async (_directory, files) => [
      await unpackedProgram('tftpd-hpa', 'usr/sbin/in.tftpd'),
      ...`--foreground --user root --secure --address ${SERVER_ADDRESS}:69`.split(' '),
      files,
    ],
  },
  {
    name: 'atftpd',
    prepare: async (_directory, files) => [
      await unpackedProgram('atftpd', 'usr/sbin/atftpd'),
      // Unless told otherwise it ends after five minutes without a request, and serves 100 at once
      ...`--daemon --no-fork --user root.root --tftpd-timeout 0 --maxthread 2000`.split(' '),
      ...`--verbose=3 --bind-address ${SERVER_ADDRESS}`.split(' '),
      files,
    ],
  },
  {
    name: 'dnsmasq',
    prepare: async (directory, files) => {
      const config = join(directory, 'dnsmasq.conf');
      const lines = ['port=0', 'enable-tftp', `tftp-root=${files}`, 'tftp-max=2000', 'quiet-tftp', 'log-facility=-'];
      // It would become dnsmasq:dip, which may not read here
      writeFileSync(config, [...lines, 'keep-in-foreground', 'user=root', `pid-file=${directory}/pid`, ''].join('\n'));
      return ['/usr/sbin/dnsmasq', '-C', config];
    },
  },
];

/** `listen`: address and port. */
export function nginxConfig(directory: string, files: string, listen: string): string {
  return `worker_processes 1; daemon off; pid ${directory}/pid; error_log ${directory}/error.log; user root;
events { worker_connections 4096; }
http {
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000;
  client_body_temp_path ${directory}/body; proxy_temp_path ${directory}/proxy; fastcgi_temp_path ${directory}/fastcgi;
  uwsgi_temp_path ${directory}/uwsgi; scgi_temp_path ${directory}/scgi;
  server { listen ${listen} backlog=4096; root ${files}; }
}
`;
}

export const HTTP_SERVERS: readonly FileServer[] = [
  RACKBOOT,
  {
    name: 'nginx',
    prepare: async (directory, files) => {
      const config = join(directory, 'nginx.conf');
      writeFileSync(config, nginxConfig(directory, files, `${SERVER_ADDRESS}:${HTTP_PORT}`));
      return [await unpackedProgram('nginx', 'usr/sbin/nginx'), '-c', config, '-e', join(directory, 'error.log')];
    },
  },
];
