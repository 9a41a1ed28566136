import { compileDocument, type Compiled } from '../plan/compile-plan.ts';
import { ConfigDocument } from '../plan/config-document.ts';
import type { Surroundings } from '../plan/surroundings.ts';
import { lookAtKept } from '../rack/plan-source.ts';

/** What to compile a file with. */
export interface WithRegion {
  /** Leaves out what the region said: the file alone. */
  readonly 'no-region'?: boolean | undefined;
}

/** What a rack would make of a file at a start, with what its region last said; `said`: what was done about that, at most one line. */
export function compileFile(
  text: string,
  file: string,
  surroundings: Surroundings,
  { 'no-region': isAlone = false }: WithRegion,
): Compiled & { readonly said: readonly string[] } {
  const document = new ConfigDocument(text);
  const { part, reason } = isAlone ? {} : lookAtKept(document);
  const said = [
    ...(part ? [`with ${part.name}, as it was last taken: --no-region leaves it out`] : []),
    ...(reason === undefined ? [] : [`without what the region said, which can't be read: ${reason}`]),
  ];
  return { ...compileDocument(document, file, surroundings, part), said };
}
