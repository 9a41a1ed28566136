import { formatIp4 } from '../addr/ip4.ts';
import { parseMac, type Mac } from '../addr/mac.ts';
import type { Asker } from './asker.ts';

/** A DHCP client identifier of type 1, Ethernet, as PXELINUX and GRUB write it. */
const ETHERNET = /^01[-:](?=.{17}$)/;
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;
const HEX_ADDRESS = /^[\da-f]{1,8}$/i;

/**
 * Whose script a loader asks for: by MAC, or by what only the asking machine's lease can tell: its UUID, its address in hex
 * digits, or nothing at all. Else the reason, for a refusal: the loader goes on to its next name.
 */
export function scriptOwner(spelling: string, asker: Asker): Mac | string {
  const mac = parseMac(spelling.replace(ETHERNET, ''));
  if (mac !== undefined) return mac;
  if (HEX_ADDRESS.test(spelling)) return ownerByAddress(spelling, asker);
  if (spelling !== '' && spelling !== 'default' && !UUID.test(spelling))
    return `"${spelling}" is not a MAC address: expected one like 52-54-00-12-34-56`;
  return asker.mac ?? 'no lease tells which machine asks';
}

/** Beginnings of addresses, which loaders ask for too, are those of a whole network. */
function ownerByAddress(digits: string, { address, mac }: Asker): Mac | string {
  if (digits.length < 8) return 'there are no scripts for networks';
  if (address !== undefined && Number.parseInt(digits, 16) === address)
    return mac ?? 'no lease tells which machine asks';
  return `these digits are not the address that asks${address === undefined ? '' : `, ${formatIp4(address)}`}`;
}
