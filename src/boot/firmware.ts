import type { Mac } from '../addr/mac.ts';

/** What a DHCP request says of the program that sent it. */
export interface BootClient {
  readonly mac: Mac;
  /** Option 93, first value (RFC 4578 §2.1). */
  readonly arch?: number | undefined;
  /** Option 60. */
  readonly vendorClass?: string | undefined;
  /** Option 77, whether it was sent as plain text or length-prefixed (RFC 3004). */
  readonly userClasses: readonly string[];
  /** Option 175 was there: the codes inside it, which say what this iPXE was built with. */
  readonly ipxe?: { readonly features: readonly number[] } | undefined;
}

/** Code 19 in option 175: this iPXE can fetch by HTTP. */
const IPXE_FEATURE_HTTP = 19;

const PXE_CLASS = 'PXEClient';
const HTTP_CLASS = 'HTTPClient';
/** A ROM that sends no option 93 still writes it here: PXEClient:Arch:00000:UNDI:002001 (PXE 2.1). */
const ARCH_IN_CLASS = /^(?:PXE|HTTP)Client:Arch:(\d{5})/;

/**
 * An iPXE that can run our script. The network cards and virtual machines that carry a stripped one (Mellanox FlexBoot,
 * VirtualBox) send option 175 without the HTTP code, with or without a user class: such a one is firmware like any
 * other, and gets a loader (the quirk stripped-ipxe). The loader is a full iPXE, says so in its turn, and so gets no
 * loader again.
 */
export function isFullIpxe(client: BootClient): boolean {
  if (client.ipxe !== undefined) return client.ipxe.features.includes(IPXE_FEATURE_HTTP);
  return client.userClasses.includes('iPXE');
}

export function isStrippedIpxe({ ipxe }: BootClient): boolean {
  return ipxe !== undefined && !ipxe.features.includes(IPXE_FEATURE_HTTP);
}

/** UEFI HTTP boot by its own word. */
export function isHttpClient({ vendorClass }: BootClient): boolean {
  return vendorClass?.startsWith(HTTP_CLASS) ?? false;
}

/** Whether it wants to boot from the network at all; an installed system's DHCP client does not. */
export function isNetbootClient(client: BootClient): boolean {
  const vendorClass = client.vendorClass ?? '';
  return (
    client.arch !== undefined ||
    client.ipxe !== undefined ||
    client.userClasses.includes('iPXE') ||
    vendorClass.startsWith(PXE_CLASS) ||
    vendorClass.startsWith(HTTP_CLASS)
  );
}

/** U-Boot on ARM before it was given numbers by IANA, in 2016; its option 60 tells which: U-Boot.armv7, U-Boot.armv8. */
const OLD_U_BOOT = 0x100;
const U_BOOT_CLASS = /^U-Boot\.armv([78])/i;

/** The architecture number, from option 93 or else from the vendor class. */
export function archOf(client: BootClient): number | undefined {
  const version = client.arch === OLD_U_BOOT ? U_BOOT_CLASS.exec(client.vendorClass ?? '')?.[1] : undefined;
  if (version !== undefined) return version === '7' ? 0x15 : 0x16;
  if (client.arch !== undefined) return client.arch;
  const written = ARCH_IN_CLASS.exec(client.vendorClass ?? '')?.[1];
  return written === undefined ? undefined : Number(written);
}
