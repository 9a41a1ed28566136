import { parseIp4, toIp4, type Ip4 } from '../../src/addr/ip4.ts';
import { compilePlan, type Compiled } from '../../src/plan/compile-plan.ts';
import { formatFault } from '../../src/plan/fault.ts';
import type { Plan } from '../../src/plan/plan.ts';
import type { Surroundings } from '../../src/plan/surroundings.ts';

export function ip(text: string): Ip4 {
  return parseIp4(text) ?? toIp4(0);
}

/** A machine on which etc/rackboot.yaml is right; every file is there, loaders in Debian's place only. */
export const rackA1: Surroundings = {
  hostName: 'rack-a1.lab.example',
  interfaces: [
    { name: 'lo', address: ip('127.0.0.1'), prefix: 8 },
    { name: 'eth0', address: ip('192.168.127.100'), prefix: 24 },
    { name: 'eth1', address: ip('10.1.0.1'), prefix: 16 },
    { name: 'eth1', address: ip('10.2.0.1'), prefix: 16 },
  ],
  excuses: () => false,
  fileExists: (path) =>
    /^\/usr\/lib\/(ipxe\/(undionly.kpxe|snponly.efi)$|shim|grub|PXELINUX|syslinux)/.test(path) ||
    /\/debian\/[a-z.]+$/.test(path),
  directoryExists: () => true,
};

/** The least that makes a Plan. */
export const SUBNET = `subnets:
  - cidr: 192.168.127.0/24
    interface: eth0
    management: dhcp+dns
`;

export function compile(text: string, changed: Partial<Surroundings> = {}): Compiled {
  return compilePlan(text, 'rackboot.yaml', { ...rackA1, ...changed });
}

/** The faults without the file's name: "12:9: subnets[0].router: expected …". */
export function faultLines(text: string, changed: Partial<Surroundings> = {}): string[] {
  return compile(text, changed).faults.map((fault) => formatFault(fault).replace(/^rackboot\.yaml:/, ''));
}

/** The Plan of a text that has one; else the faults as an error. */
export function planOf(text: string, changed: Partial<Surroundings> = {}): Plan {
  const { plan, faults } = compile(text, changed);
  if (!plan) throw new Error(faults.map(formatFault).join('\n'));
  return plan;
}
