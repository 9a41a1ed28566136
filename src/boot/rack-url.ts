import { formatIp4, type Ip4 } from '../addr/ip4.ts';
import type { Plan } from '../plan/plan.ts';

/** "http://192.0.2.1:5248": a literal address, because UEFI and early iPXE may have no name server (iPXE #1316). */
export function rackUrl(plan: Plan, rackAddress: Ip4): string {
  return `http://${formatIp4(rackAddress)}:${plan.http.port}`;
}
