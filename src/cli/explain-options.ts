const TEXT = { type: 'string' } as const;
const MANY = { type: 'string', multiple: true } as const;
const FLAG = { type: 'boolean', default: false } as const;

/** The command line of `rackboot explain`, apart from the code it runs: the daemon need not load that. */
export const EXPLAIN_OPTIONS = {
  mac: TEXT,
  message: TEXT,
  requested: TEXT,
  arch: TEXT,
  'vendor-class': TEXT,
  'user-class': TEXT,
  ipxe: TEXT,
  name: TEXT,
  'client-id': TEXT,
  ask: TEXT,
  broadcast: FLAG,
  interface: TEXT,
  relay: TEXT,
  'circuit-id': TEXT,
  'remote-id': TEXT,
  'link-selection': TEXT,
  uuid: TEXT,
  option: MANY,
  fetch: MANY,
  pcap: TEXT,
  'no-region': FLAG,
  json: FLAG,
} as const;
