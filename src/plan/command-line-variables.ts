/** What a kernel command line may name as `${name}`, and the most characters each can stand for. */
export const COMMAND_LINE_VARIABLES = {
  /** 52:54:00:12:34:56 */
  mac: 17,
  /** http://192.0.2.1:5248 */
  rack: 'http://255.255.255.255:65535'.length,
  /** A host's name, one label. */
  name: 63,
  /** 192.0.2.50 */
  address: 15,
} as const;

export type CommandLineVariable = keyof typeof COMMAND_LINE_VARIABLES;

/** `${` begins a variable, always: iPXE could not be given it as text. */
const VARIABLE = /\$+\{([^{}]*)\}?/g;

/** Puts a value in the place of each variable; `undefined` leaves it as it is written. */
export function replaceVariables(template: string, valueOf: (name: string) => string | undefined): string {
  return template.replaceAll(VARIABLE, (written: string, name: string) => {
    const value = written.endsWith('}') && !written.startsWith('$$') ? valueOf(name) : undefined;
    return value ?? written;
  });
}

/** The variables of a command line that stand for nothing, as they are written. */
export function unknownVariables(template: string): string[] {
  return (template.match(VARIABLE) ?? []).filter((written) => {
    return !Object.keys(COMMAND_LINE_VARIABLES).some((name) => written === `\${${name}}`);
  });
}

/** The bytes of the command line, with each variable as long as it can get. */
export function longestLength(template: string): number {
  const lengths: Readonly<Record<string, number>> = COMMAND_LINE_VARIABLES;
  return Buffer.byteLength(
    replaceVariables(template, (name) => (Object.hasOwn(lengths, name) ? 'x'.repeat(lengths[name] ?? 0) : undefined)),
  );
}
