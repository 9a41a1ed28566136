import { decodeText, printable } from './text.ts';

/**
 * Option 77: the classes a client says it belongs to. RFC 3004 §4 puts a length before each; iPXE and Windows send bare
 * text. Lengths that fit exactly win: text that begins with its own length less one would have to be a class name of 32
 * characters or more behind a space or a sign. Undefined when it is neither.
 */
export function decodeUserClasses(value: Uint8Array | undefined): readonly string[] | undefined {
  const classes = value && decodePrefixed(value);
  if (classes) return classes;
  const text = decodeText(value);
  return text === undefined ? undefined : [text];
}

/** As RFC 3004 wants it. A class longer than 255 characters is cut. */
export function encodeUserClasses(classes: readonly string[]): Uint8Array {
  return Uint8Array.from(
    classes.flatMap((name) => {
      const letters = Array.from(name.slice(0, 255), (letter) => letter.charCodeAt(0));
      return [letters.length, ...letters];
    }),
  );
}

function decodePrefixed(value: Uint8Array): readonly string[] | undefined {
  const classes: string[] = [];
  let at = 0;
  while (at < value.length) {
    const start = at + 1;
    const end = start + (value[at] ?? 0);
    // RFC 3004 §4: a class has at least one byte.
    if (end === start || end > value.length) return undefined;
    const name = printable(value, start, end);
    if (name === undefined) return undefined;
    classes.push(name);
    at = end;
  }
  return classes.length > 0 ? classes : undefined;
}
