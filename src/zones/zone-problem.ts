/** Something about a zone file that its author should know. */
export interface ZoneProblem {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly text: string;
}

/** "zones/lab.zone:12: expected …, found …" */
export function formatProblem({ file, line, text }: ZoneProblem): string {
  return `${file}:${line}: ${text}`;
}
