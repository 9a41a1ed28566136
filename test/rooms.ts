/** Which room may import which: the picture of the house. An arrow only points down. */
const SERVICE_ROOM = ['service', 'images', 'boots', 'leases', 'timeline', 'plan', 'boot', 'wire', 'system', 'addr'];
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  addr: [],
  system: ['addr'],
  wire: ['addr'],
  plan: ['addr'],
  boot: ['plan', 'addr'],
  leases: ['plan', 'boot', 'wire', 'system', 'addr'],
  boots: ['plan', 'boot', 'system', 'addr'],
  images: ['plan', 'boot', 'wire', 'system', 'addr'],
  timeline: ['plan', 'boot', 'wire', 'system', 'addr'],
  service: ['images', 'boots', 'timeline', 'plan', 'system', 'addr'],
  dhcp: SERVICE_ROOM,
  dns: SERVICE_ROOM,
  tftp: SERVICE_ROOM,
  http: SERVICE_ROOM,
  importer: SERVICE_ROOM,
  lab: ['images', 'timeline', 'plan', 'system', 'addr'],
  rack: ['service', 'images', 'boots', 'leases', 'timeline', 'plan', 'system', 'addr'],
  cli: ['lab', 'rack', 'dhcp', 'service', 'images', 'boots', 'leases', 'timeline', 'plan', 'wire', 'system', 'addr'],
};
