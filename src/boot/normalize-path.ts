/** What old UEFI firmware reads past the end of option 67: the End option's 0xff, as Latin-1 or as a broken UTF-8 byte. */
const FIRMWARE_GARBAGE = /[\u00ff\ufffd]+$/;
const CONTROL = /\p{Cc}/u;

/**
 * The served path a client means: relative, `/` between segments, no empty or `.` segment; '' for the root.
 * Windows-minded firmware may write `\`. Undefined for a path that climbs (`..`) or holds a control character.
 */
export function normalizePath(raw: string): string | undefined {
  const path = raw.replace(FIRMWARE_GARBAGE, '').replaceAll('\\', '/');
  if (CONTROL.test(path)) return undefined;
  const segments = path.split('/').filter((segment) => segment !== '' && segment !== '.');
  return segments.includes('..') ? undefined : segments.join('/');
}
