import * as z from 'zod';
import { hexText } from './option-forms.ts';
import { textForm } from './text-forms.ts';

/** What a machine or its relay sends as bytes, most often text. */
export interface Sign {
  readonly isText: boolean;
  /** Its bytes, as lower-case hex. */
  readonly hex: string;
}

/** An option holds at most 255 bytes. */
const MOST_DIGITS = 510;
/** What other servers' files write for bytes: taken for text it would match nobody, and not a word said. */
const LOOKS_LIKE_BYTES = /^(0x)?[0-9a-f]{2}(:[0-9a-f]{2})+$/i;
const CONTROL = /\p{Cc}/u;

/**
 * An identifier: text, or all its bytes as `{ hex: … }`, like the values of options. Text that looks like bytes must say
 * what it is. `what`: "a circuit-id".
 */
export function signForm(what: string): z.ZodType<Sign> {
  const expected = `${what}: text, or bytes as { hex: "00:04:0a" } (and text that looks like it as { text: … }), 1 to 255 bytes`;
  const plain = textForm({
    expected,
    parse: (text) => (LOOKS_LIKE_BYTES.test(text) ? undefined : signOfText(text)),
  });
  const spelled = z
    .strictObject({
      hex: hexText.optional().describe('Its bytes.'),
      text: textForm({ expected, parse: signOfText }).optional().describe('Text that looks like bytes.'),
    })
    .transform((written, context): Sign => {
      const { hex = '', text } = written;
      if (text && hex === '') return text;
      if (!text && hex !== '' && hex.length <= MOST_DIGITS) return { isText: false, hex };
      // An unknown key says enough
      if (context.issues.length === 0) context.issues.push({ code: 'custom', message: expected, input: written });
      return z.NEVER;
    });
  return z.union([plain, spelled], expected);
}

function signOfText(text: string): Sign | undefined {
  const hex = Buffer.from(text).toString('hex');
  return hex === '' || hex.length > MOST_DIGITS || CONTROL.test(text) ? undefined : { isText: true, hex };
}
