import { compilePlan } from '../../src/plan/compile-plan.ts';
import { formatFault } from '../../src/plan/fault.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { ip4, RACK } from './test-plan.ts';

/** From the file to the packet: `subnet` are lines of the subnet, `rest` those of the top level. */
export function filePlan(subnet: string, rest: string): Plan {
  const text = `subnets:
  - cidr: 192.168.127.0/24
    interface: eth0
    management: dhcp
    conflict-check: off
    dynamic: 192.168.127.100-192.168.127.140
    router: 192.168.127.254
    domain: rack.example
    dns: [192.168.127.53]
${subnet}
${rest}
`;
  return compiled(text);
}

/** The Plan of a whole file, as a service thread gets it. */
export function compiled(text: string): Plan {
  const { plan, faults } = compilePlan(text, 'f', {
    hostName: 'rack-a1',
    interfaces: [{ name: 'eth0', address: ip4(RACK), prefix: 24 }],
    excuses: () => false,
    fileExists: () => true,
    directoryExists: () => true,
  });
  if (!plan) throw new Error(faults.map(formatFault).join('\n'));
  return structuredClone(plan);
}
