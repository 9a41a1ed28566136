import type * as z from 'zod';
import { isBefore } from './config-document.ts';
import type { FaultBook } from './fault-book.ts';
import { oneLine, scopeOf, type Path } from './fault.ts';
import { withSuggestion } from './nearest-name.ts';
import { keysAt } from './schema.ts';

type Issue = z.core.$ZodIssue;

/**
 * Puts what the schema says of the value at `holder` into the book. The schema's messages are the "expected" part. `root`: the schema
 * of the whole file, where that is not the rack's.
 */
export function reportIssue(book: FaultBook, issue: Issue, holder: Path, root?: z.ZodType): void {
  const path = [...holder, ...issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step))];
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys) reportUnknownKey(book, path, key, root);
  } else if (issue.code === 'invalid_union') {
    for (const inner of pertinentIssues(issue.errors)) reportIssue(book, inner, path, root);
  } else if (issue.code === 'invalid_key') {
    reportKey(book, path, issue.issues[0]?.message ?? 'another key');
  } else {
    reportValue(book, issue, path);
  }
}

function reportUnknownKey(book: FaultBook, holder: Path, key: string, root?: z.ZodType): void {
  const path = [...holder, key];
  if (isHearsay(book, path)) return;
  const known = keysAt(holder, root);
  const found = withSuggestion(key, known, oneLine(key));
  book.report(path, `one of ${known.join(', ')}`, { found, scope: scopeOf(holder), at: 'key' });
}

function reportKey(book: FaultBook, path: Path, expected: string): void {
  if (!isHearsay(book, path)) book.report(path, expected, { found: oneLine(String(path.at(-1))), at: 'key' });
}

function reportValue(book: FaultBook, issue: Issue, path: Path): void {
  // A number can be wrong in two ways at once, with one message.
  if (book.has(path) || (!book.document.isScalar(path) && isHearsay(book, path))) return;
  const found = book.document.describe(path);
  const kind = issue.code === 'invalid_type' && issue.expected === 'string' ? book.document.bareKind(path) : undefined;
  book.report(path, issue.message, {
    found: kind === undefined ? found : `the ${kind} ${found} (text like this needs quotes)`,
  });
}

/** Of "one, or a list": the complaint about the elements if a list was written, else the one about the value. */
function pertinentIssues(branches: readonly (readonly Issue[])[]): readonly Issue[] {
  const isWrongShape = (issue: Issue | undefined) => issue?.code === 'invalid_type' && issue.path.length === 0;
  return branches.find((issues) => !isWrongShape(issues[0])) ?? branches[0] ?? [];
}

/**
 * After a syntax error the parser may have hung a part of the file on the wrong branch, or dropped it. Single values are
 * wrong wherever they hang; that keys are missing or unknown is then no more than a rumour.
 */
function isHearsay(book: FaultBook, path: Path): boolean {
  const { document } = book;
  if (document.brokenAt === undefined) return false;
  return !document.has(path) || !isBefore(document.locate(path, 'key'), document.brokenAt);
}
