import type { BootOffer } from '../boot/boot-offer.ts';
import { QUIRKS, type Quirk } from '../plan/quirk-table.ts';
import type { DhcpOption } from '../wire/dhcp/dhcp-options.ts';
import { OptionCode } from '../wire/dhcp/option-code.ts';
import { decodeClientMachineId } from '../wire/dhcp/options/client-machine-id.ts';
import { encodeText } from '../wire/dhcp/options/text.ts';
import type { DhcpPacket } from '../wire/dhcp/packet.ts';

const ROWS: readonly Quirk[] = QUIRKS;
/** Encoded once, by what the table calls them. */
const VENDOR_CLASSES = new Map(
  ROWS.flatMap(({ effects: { vendorClass: text } }) =>
    text === undefined ? [] : [[text, { code: OptionCode.vendorClass, value: encodeText(text) }] as const],
  ),
);
const VENDOR_OPTIONS = new Map(
  ROWS.flatMap(({ effects: { vendorOptions: hex } }) =>
    hex === undefined ? [] : [[hex, { code: OptionCode.vendorSpecific, value: bytesOf(hex) }] as const],
  ),
);

/**
 * Options 43, 60 and 97, as the client's quirks want them. 60 never goes without a boot server: a PXE client that is
 * told "PXEClient" and no file asks for one at port 4011.
 */
export function quirkOptions({ quirks: { effects }, nextServer }: BootOffer, packet: DhcpPacket): DhcpOption[] {
  if (nextServer === undefined) return [];
  const options: DhcpOption[] = [];
  const vendorOptions = VENDOR_OPTIONS.get(effects.vendorOptions ?? '');
  if (vendorOptions) options.push(vendorOptions);
  const vendorClass = effects.vendorClass && VENDOR_CLASSES.get(effects.vendorClass);
  if (vendorClass) options.push(vendorClass);
  const machineId = effects.echoMachineId && packet.options.get(OptionCode.clientMachineId);
  if (machineId && decodeClientMachineId(machineId) !== undefined) {
    // A copy: the datagram's buffer is used again before the reply is written
    options.push({ code: OptionCode.clientMachineId, value: machineId.slice() });
  }
  return options;
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
}
