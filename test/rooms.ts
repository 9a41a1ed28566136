/** Which room may import which: the picture of the house. An arrow only points down. */
const SERVICE_ROOM = ['service', 'leases', 'timeline', 'plan', 'boot', 'wire', 'system', 'addr'];
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  addr: [],
  system: ['addr'],
  wire: ['addr'],
  plan: ['addr'],
  boot: ['plan', 'addr'],
  leases: ['plan', 'boot', 'wire', 'system', 'addr'],
  timeline: ['plan', 'boot', 'wire', 'system', 'addr'],
  service: ['timeline', 'plan', 'system', 'addr'],
  dhcp: SERVICE_ROOM,
  dns: SERVICE_ROOM,
  tftp: SERVICE_ROOM,
  http: SERVICE_ROOM,
  lab: ['timeline', 'plan', 'system', 'addr'],
  rack: ['service', 'leases', 'timeline', 'plan', 'system', 'addr'],
  cli: ['lab', 'rack', 'dhcp', 'service', 'leases', 'timeline', 'plan', 'wire', 'system', 'addr'],
};
