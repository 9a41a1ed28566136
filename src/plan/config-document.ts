import { isAlias, isMap, isPair, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { Alias, Document, Node, Pair, YAMLError, YAMLMap } from 'yaml';
import { oneLine, type Path } from './fault.ts';
import type { Place, Position, SourceDocument, YamlFault } from './source-document.ts';

/** Deeper than any key of ours; text nested without end must not exhaust the stack. */
const MAX_DEPTH = 32;
/** Faults that leave the tree around them as it was meant. */
const HARMLESS_CODES: ReadonlySet<string> = new Set(['TAG_RESOLVE_FAILED', 'BAD_SCALAR_START', 'TAB_AS_INDENT']);

/** A YAML 1.2 file: its plain value, and where in the text each part of it stands. */
export class ConfigDocument implements SourceDocument {
  /** Plain maps, lists and scalars; an empty file is an empty map. */
  readonly value: unknown;
  readonly faults: readonly YamlFault[];
  /** Where the text first stops being YAML: what follows may have been read into the wrong place. */
  readonly brokenAt: Position | undefined;
  readonly #text: string;
  readonly #root: Node | null;
  readonly #lines = new LineCounter();
  readonly #anchors = new Map<string, { readonly node: Node; readonly value: unknown }>();
  readonly #targets = new Map<Alias, Node>();
  readonly #faults: YamlFault[] = [];
  readonly #pairs = new WeakMap<YAMLMap, ReadonlyMap<string, Pair>>();

  constructor(text: string) {
    this.#text = text;
    const document = this.#parse();
    this.#root = document?.contents ?? null;
    this.brokenAt = this.#reportSyntax(document);
    this.value = (this.#root === null ? undefined : this.#plain(this.#root, [])) ?? {};
    this.faults = this.#faults;
  }

  /** The place of the value, or of its key; of the nearest part that holds it when it is not there. */
  locate(path: Path, at: 'key' | 'value' = 'value'): Place {
    return { ...this.#position(path, at), path };
  }

  #position(path: Path, at: 'key' | 'value'): Position {
    let place: Node | null | undefined = this.#root;
    let node: Node | null | undefined = this.#root;
    for (const [i, step] of path.entries()) {
      const pair: Pair | undefined = typeof step === 'string' ? this.#pairOf(node, step) : undefined;
      const next: Node | undefined = typeof step === 'number' ? this.#itemOf(node, step) : nodeOf(pair?.value);
      const key = nodeOf(pair?.key);
      if (next === undefined && key === undefined) break;
      const last = i === path.length - 1;
      place = last && at === 'value' && next !== undefined && !isEmpty(next) ? next : (key ?? next);
      node = next;
    }
    return this.#positionOf(place);
  }

  /** The value as the operator wrote it, shortened, or what kind of thing it is. */
  describe(path: Path): string {
    const node = this.#nodeAt(path);
    if (isMap(node)) return 'a mapping';
    if (isSeq(node)) return node.items.length === 0 ? 'an empty list' : 'a list';
    if (!isScalar(node) || node.value === null || !node.range) return 'nothing';
    const written = this.#text.slice(node.range[0], node.range[1]);
    return oneLine(written);
  }

  has(path: Path): boolean {
    return this.#nodeAt(path) !== undefined;
  }

  isScalar(path: Path): boolean {
    return isScalar(this.#nodeAt(path));
  }

  /** What YAML makes of a word without quotes that may have been meant as text: 525400123456, true. */
  bareKind(path: Path): string | undefined {
    const node = this.#nodeAt(path);
    if (!isScalar(node)) return undefined;
    if (typeof node.value === 'number') return 'number';
    return typeof node.value === 'boolean' ? 'truth value' : undefined;
  }

  isList(path: Path): boolean {
    return isSeq(this.#nodeAt(path));
  }

  #parse(): Document.Parsed | undefined {
    try {
      // Unique keys are checked while the value is read: the parser's own check is quadratic and knows no path.
      return parseDocument(this.#text, {
        lineCounter: this.#lines,
        prettyErrors: false,
        uniqueKeys: false,
        schema: 'core',
        resolveKnownTags: false,
      });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#report([], { line: 1, column: 1 }, 'YAML', `text that can not be read (${reason})`);
      return undefined;
    }
  }

  /** One fault a line: after the first, the parser mostly complains about its own recovery. */
  #reportSyntax(document: Document.Parsed | undefined): Position | undefined {
    if (!document) return { line: 1, column: 1 };
    const seen = new Set<number>();
    let brokenAt: Position | undefined;
    for (const error of [...document.errors, ...document.warnings]) {
      const position = this.#positionAt(error.pos[0]);
      if (!HARMLESS_CODES.has(error.code) && (!brokenAt || isBefore(position, brokenAt))) brokenAt = position;
      if (seen.has(position.line)) continue;
      seen.add(position.line);
      this.#report([], position, ...explainError(error));
    }
    return brokenAt;
  }

  #report(path: Path, position: Position, expected: string, found: string): void {
    this.#faults.push({ path, position, expected, found });
  }

  #plain(node: Node, path: Path): unknown {
    if (path.length > MAX_DEPTH) {
      this.#report([], this.#positionOf(node), `at most ${MAX_DEPTH} levels`, 'more');
      return undefined;
    }
    const value = this.#plainContent(node, path);
    if (!isAlias(node) && node.anchor !== undefined) this.#anchors.set(node.anchor, { node, value });
    return value;
  }

  #plainContent(node: Node, path: Path): unknown {
    if (isScalar(node)) return node.value;
    if (isAlias(node)) return this.#plainAlias(node, path);
    if (isMap(node)) return this.#plainMap(node, path);
    if (isSeq(node)) return node.items.map((item, i) => this.#plainItem(item, [...path, i]));
    return undefined;
  }

  #plainItem(item: unknown, path: Path): unknown {
    const node = nodeOf(item);
    return node === undefined ? null : this.#plain(node, path);
  }

  /** The target was read before, so a chain of aliases costs no more than its own length. */
  #plainAlias(alias: Alias, path: Path): unknown {
    const anchor = this.#anchors.get(alias.source);
    if (!anchor) {
      this.#report(path, this.#positionOf(alias), 'the name of an anchor set before it', `*${oneLine(alias.source)}`);
      return undefined;
    }
    this.#targets.set(alias, anchor.node);
    return anchor.value;
  }

  #plainMap(map: YAMLMap, path: Path): Record<string, unknown> {
    const value: Record<string, unknown> = {};
    for (const pair of map.items) {
      const name = keyName(pair);
      const here = [...path, name ?? '?'];
      // `__proto__` would be taken for the map's own nature by whoever reads it.
      if (name === undefined || name === '__proto__') {
        this.#report(here, this.#positionOf(nodeOf(pair.key)), 'a plain word as key', name ?? 'something else');
      } else if (Object.hasOwn(value, name)) this.#reportDuplicate(pair, here);
      else value[name] = this.#plainItem(pair.value, here);
    }
    return value;
  }

  #reportDuplicate(pair: Pair, path: Path): void {
    const first = this.locate(path, 'key');
    this.#report(path, this.#positionOf(nodeOf(pair.key)), `each key once (it is on line ${first.line})`, 'it again');
  }

  #nodeAt(path: Path): Node | undefined {
    let node: Node | null | undefined = this.#root;
    for (const step of path) {
      node = typeof step === 'number' ? this.#itemOf(node, step) : nodeOf(this.#pairOf(node, step)?.value);
    }
    return this.#resolve(node);
  }

  #itemOf(holder: Node | null | undefined, index: number): Node | undefined {
    const list = this.#resolve(holder);
    return isSeq(list) ? nodeOf(list.items[index]) : undefined;
  }

  #pairOf(holder: Node | null | undefined, key: string): Pair | undefined {
    const map = this.#resolve(holder);
    if (!isMap(map)) return undefined;
    let pairs = this.#pairs.get(map);
    if (!pairs) {
      // Reversed, so that of two equal keys the first one counts.
      pairs = new Map(map.items.toReversed().map((pair) => [keyName(pair) ?? '?', pair]));
      this.#pairs.set(map, pairs);
    }
    return pairs.get(key);
  }

  #resolve(node: Node | null | undefined): Node | undefined {
    return (isAlias(node) ? this.#targets.get(node) : node) ?? undefined;
  }

  #positionOf(node: Node | null | undefined): Position {
    return this.#positionAt(node?.range?.[0] ?? 0);
  }

  #positionAt(offset: number): Position {
    const { line, col } = this.#lines.linePos(offset);
    return line === 0 ? { line: 1, column: 1 } : { line, column: col };
  }
}

export function isBefore(a: Position, b: Position): boolean {
  return a.line < b.line || (a.line === b.line && a.column < b.column);
}

function nodeOf(part: unknown): Node | undefined {
  return isScalar(part) || isMap(part) || isSeq(part) || isAlias(part) ? part : undefined;
}

/** An empty value has its place after the colon, where nothing is to be seen. */
function isEmpty(node: Node): boolean {
  return isScalar(node) && node.range?.[0] === node.range?.[1];
}

/** A key as text, `12:` and `true:` included; undefined for a list, a mapping or nothing as key. */
function keyName(pair: unknown): string | undefined {
  if (!isPair(pair) || !isScalar(pair.key)) return undefined;
  const name = typeof pair.key.value === 'string' ? pair.key.value : pair.key.source;
  return name === '' ? undefined : name;
}

function explainError(error: YAMLError): [expected: string, found: string] {
  if (error.code === 'TAB_AS_INDENT') return ['blanks as indentation', 'a tab'];
  if (error.code === 'MULTIPLE_DOCS') return ['one YAML document', 'the start of another'];
  if (error.code === 'TAG_RESOLVE_FAILED')
    return ['a value without a tag', oneLine(error.message.replace('Unresolved tag:', 'the tag'))];
  return ['valid YAML', `this: ${oneLine(error.message)}`];
}
