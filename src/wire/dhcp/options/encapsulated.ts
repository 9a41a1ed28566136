import { WireError } from '../../wire-error.ts';
import { DhcpOptions, findOptions, writeOptions, type DhcpOption } from '../dhcp-options.ts';
import { OptionCode } from '../option-code.ts';

/** Options inside an option: 43 (RFC 2132 §8.4) and iPXE's 175. Undefined when one runs past the end. */
export function decodeEncapsulated(value: Uint8Array | undefined): DhcpOptions | undefined {
  if (!value) return undefined;
  const places: number[] = [];
  try {
    findOptions(value, 0, value.length, places);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
  return new DhcpOptions(value, places);
}

/** Ends with End: PXE ROMs want it, and RFC 2132 §8.4 allows it. Throws WireError for a code that is not 1 to 254. */
export function encodeEncapsulated(options: readonly DhcpOption[]): Uint8Array {
  const size = options.reduce(
    (sum, { value }) => sum + value.length + 2 * Math.max(1, Math.ceil(value.length / 255)),
    1,
  );
  const value = new Uint8Array(size);
  value[writeOptions(options, value, 0, size)] = OptionCode.end;
  return value;
}
