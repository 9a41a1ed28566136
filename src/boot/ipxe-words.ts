/** A setting that nobody sets: iPXE expands it to nothing, after it has looked for the words that mean something to it. */
const NOTHING = '${none}';
/** Words that end or comment out an iPXE command when they stand alone (iPXE `command_terminator`). */
const SPECIAL_WORD = /^(#.*|\|\||&&|;)$/;

/**
 * `text` as the arguments of an iPXE command: one line, of which iPXE takes every word as it is.
 * The exception is `${…}`: iPXE has no way to write it literally (it expands again what it expanded), so the
 * dollar goes. White space between words becomes one blank, as iPXE itself would make it.
 */
export function ipxeWords(text: string): string {
  const words = text.split(/[\s\p{Cc}]+/u).filter((word) => word !== '');
  const safe = words.map((word) => (SPECIAL_WORD.test(word) ? NOTHING : '') + word.replaceAll(/\$+\{/g, '{'));
  const line = safe.join(' ');
  // A backslash at the end would swallow the line break.
  return line.endsWith('\\') ? line + NOTHING : line;
}
