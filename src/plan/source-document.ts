import type { FaultScope, Path } from './fault.ts';

export interface Position {
  /** From 1. */
  readonly line: number;
  /** In characters, from 1. */
  readonly column: number;
}

/** What is wrong with the YAML itself; `path` is empty where the tree has no name for the place. */
export interface YamlFault {
  readonly path: Path;
  readonly position: Position | Place;
  readonly expected: string;
  readonly found: string;
  /** Default: what the path says. */
  readonly scope?: FaultScope;
}

/** Where a value stands, in the words of whoever wrote it. */
export interface Place extends Position {
  /** Who wrote it where that is not the file: then there are no line and column. */
  readonly source?: string;
  /** In what that one wrote. */
  readonly path: Path;
}

/** A config to be checked: its plain value, and where each part of it stands. */
export interface SourceDocument {
  /** Plain maps, lists and scalars. */
  readonly value: unknown;
  readonly faults: readonly YamlFault[];
  /** Where the text first stops being YAML. */
  readonly brokenAt: Position | undefined;
  /** Of the value or of its key; of the nearest part that holds it when it is not there. */
  locate(path: Path, at?: 'key' | 'value'): Place;
  /** The value as it was written, shortened, or what kind of thing it is. */
  describe(path: Path): string;
  has(path: Path): boolean;
  isScalar(path: Path): boolean;
  /** What a word without quotes was taken for that may have been meant as text. */
  bareKind(path: Path): string | undefined;
  isList(path: Path): boolean;
}
