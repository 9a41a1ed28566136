/** Which room may import which: the picture of the house. An arrow only points down. */
const SERVICE_ROOM = ['service', 'boots', 'leases', 'zones', 'timeline', 'plan', 'boot', 'wire', 'system', 'addr'];
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  addr: [],
  system: ['addr'],
  wire: ['addr'],
  plan: ['addr'],
  boot: ['plan', 'addr'],
  leases: ['plan', 'boot', 'wire', 'system', 'addr'],
  boots: ['plan', 'boot', 'system', 'addr'],
  timeline: ['plan', 'boot', 'wire', 'system', 'addr'],
  zones: ['plan', 'wire', 'system', 'addr'],
  service: ['boots', 'zones', 'timeline', 'plan', 'system', 'addr'],
  dhcp: SERVICE_ROOM,
  dns: SERVICE_ROOM,
  dot: SERVICE_ROOM,
  tftp: SERVICE_ROOM,
  http: SERVICE_ROOM,
  lab: ['timeline', 'plan', 'system', 'addr'],
  rack: ['service', 'boots', 'leases', 'zones', 'timeline', 'plan', 'wire', 'system', 'addr'],
  cli: ['lab', 'rack', 'dhcp', 'service', 'boots', 'leases', 'zones', 'timeline', 'plan', 'wire', 'system', 'addr'],
};
