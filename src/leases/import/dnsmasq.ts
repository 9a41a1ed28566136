import { formatIp4, parseIp4 } from '../../addr/ip4.ts';
import { parseMac } from '../../addr/mac.ts';
import { ForeignLeaseGatherer, NEVER, parseSeconds, type ForeignLeases } from './foreign-leases.ts';

/**
 * Reads dnsmasq's lease file: "EXPIRY MAC ADDRESS NAME CLIENT-ID" a line; an expiry of 0 has no end, `*` is no name. DHCPv6
 * follows behind a line "duid …" and is passed over. Total: any text gives a result.
 */
export function parseDnsmasqLeases(text: string): ForeignLeases {
  const gatherer = new ForeignLeaseGatherer();
  let line = 0;
  for (const row of text.split('\n')) {
    line++;
    const words = row.trim().split(/\s+/);
    if (words[0] === 'duid') break;
    if (words[0] !== '') readLine(gatherer, line, words);
  }
  return gatherer.finish();
}

function readLine(gatherer: ForeignLeaseGatherer, line: number, words: readonly string[]): void {
  const [expiry = '', hardware = '', written = '', name = '*'] = words;
  const address = parseIp4(written);
  if (address === undefined) return gatherer.refuse(line, `expected an IPv4 address, found "${written}"`);
  const refuse = (reason: string): void => gatherer.say(address, { line, reason: `${formatIp4(address)}: ${reason}` });
  const expires = parseSeconds(expiry);
  if (expires === undefined) return refuse(`expected Unix seconds for its end, found "${expiry}"`);
  const mac = parseMac(hardware);
  if (mac === undefined) return refuse(`expected a MAC address, found "${hardware}"`);
  gatherer.say(address, {
    line,
    address,
    mac,
    expires: expires === 0 ? NEVER : Math.min(expires, NEVER),
    ...(name === '*' ? {} : { name }),
  });
}
