import { isBefore } from './config-document.ts';
import { formatPath, scopeOf, type Fault, type FaultScope, type Path } from './fault.ts';
import type { Place, Position, SourceDocument } from './source-document.ts';

export interface FaultDetails {
  /** Default: the value as written. */
  readonly found?: string;
  /** Default: what the path says. */
  readonly scope?: FaultScope;
  /** It is no fault of what is written: something is not on disk, and may come. */
  readonly mayPass?: true;
  /** Default: the value, or what holds it. */
  readonly at?: 'key' | 'value' | Position | Place;
}

/** Collects every fault of one file, with its place, and knows which parts of the file are spoilt. */
export class FaultBook {
  readonly document: SourceDocument;
  readonly #file: string;
  readonly #faults: Fault[] = [];
  readonly #at = new Set<string>();
  readonly #holding = new Set<string>();

  constructor(file: string, document: SourceDocument) {
    this.#file = file;
    this.document = document;
  }

  report(path: Path, expected: string, details: FaultDetails = {}): void {
    const at = details.at ?? 'value';
    const place: Place = typeof at === 'string' ? this.document.locate(path, at) : { path, ...at };
    const { source: file = this.#file, line, column } = place;
    const found = details.found ?? this.document.describe(path);
    const scope = details.scope ?? scopeOf(path);
    this.#faults.push({
      file,
      line,
      column,
      path: formatPath(place.path),
      expected,
      found,
      scope,
      ...(details.mayPass && { mayPass: true }),
    });
    this.#at.add(formatPath(path));
    for (let depth = 0; depth <= path.length; depth++) this.#holding.add(formatPath(path.slice(0, depth)));
  }

  /** Is there a fault at this very place? */
  has(path: Path): boolean {
    return this.#at.has(formatPath(path));
  }

  /** Is there a fault at this place or anywhere inside it? */
  touches(path: Path): boolean {
    return this.#holding.size > 0 && this.#holding.has(formatPath(path));
  }

  /** Is the value at this place unknown, because it or something around it has a fault? */
  lost(path: Path): boolean {
    return this.#at.size > 0 && path.some((_, i) => this.#at.has(formatPath(path.slice(0, i + 1))));
  }

  /** The place of one element of a key that takes one value or a list. */
  element(path: Path, index: number): Path {
    return this.document.isList(path) ? [...path, index] : path;
  }

  /** "on line 12", or "in region plan 7". */
  whereIs(path: Path, at: 'key' | 'value' = 'value'): string {
    const { source, line } = this.document.locate(path, at);
    return source === undefined ? `on line ${line}` : `in ${source}`;
  }

  /** In file order, and then the region's. */
  list(): Fault[] {
    const ours = this.#faults.filter(({ line }) => line > 0);
    const others = this.#faults.filter(({ line }) => line === 0);
    return [...ours.toSorted((a, b) => (isBefore(a, b) ? -1 : Number(isBefore(b, a)))), ...others];
  }
}
