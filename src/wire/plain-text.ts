/** Line breaks and the like, each as the space that it stands for. */
const BLANKS = /[\t-\r\p{Zl}\p{Zp}]/gu;
/** What steers a terminal, turns the direction of writing or can't be seen at all, and halves of characters. */
const UNSEEMLY = /[\p{Cc}\p{Cf}\p{Cs}]/gu;

/** Strangers wrote some of it: on one line, and with nothing in it that a terminal or a reader of a log would obey. */
export function plainText(text: string): string {
  return text.replaceAll(BLANKS, ' ').replaceAll(UNSEEMLY, '\u{fffd}');
}
