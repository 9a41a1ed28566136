/** `text` as one word of a GRUB script, which takes everything between single quotes as it is (GRUB manual, Quoting). */
export function grubWord(text: string): string {
  const line = text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ');
  return `'${line.replaceAll("'", String.raw`'\''`)}'`;
}

/**
 * A kernel command line as words for GRUB's `linux`, one for each parameter. GRUB joins them again: it puts a word with blanks
 * between double quotes and a backslash before every quote and backslash. So double quotes are taken out
 * where the kernel would take them out itself: `dyndbg="file a +p"` arrives as `"dyndbg=file a +p"`, which means the same to it.
 */
export function grubParameters(commandLine: string): string[] {
  const isPaired = (commandLine.match(/"/g) ?? []).length % 2 === 0;
  if (!isPaired) return commandLine.split(/\s+/).filter((word) => word !== '');
  const words = commandLine.match(/(?:"[^"]*"|[^\s"])+/g) ?? [];
  return words.map((word) => word.replaceAll('"', '')).filter((word) => word !== '');
}

/** Whether GRUB can't hand this command line on as it is: it would write a backslash into it. */
export function isSpoiltByGrub(commandLine: string): boolean {
  return grubParameters(commandLine).some((word) => /['"\\]/.test(word.replaceAll(/\\x[\da-f]{2}/gi, '')));
}
