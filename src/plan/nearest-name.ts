/** The candidate that `word` is most likely a slip of the pen for; undefined when none is close. */
export function nearestName(word: string, candidates: Iterable<string>): string | undefined {
  const lower = word.toLowerCase();
  let nearest: string | undefined;
  let least = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    // The difference in length is a lower bound of the distance, so long junk costs nothing.
    if (Math.abs(candidate.length - word.length) >= least) continue;
    const distance = editDistance(lower, candidate.toLowerCase());
    if (distance < least) [nearest, least] = [candidate, distance];
  }
  return nearest;
}

/** "debain (did you mean `debian`?)"; `shown` is how the word is to appear. */
export function withSuggestion(word: string, candidates: Iterable<string>, shown = word): string {
  const nearest = nearestName(word, candidates);
  return nearest === undefined ? shown : `${shown} (did you mean \`${nearest}\`?)`;
}

/** Edits that turn `a` into `b`: insert, delete, replace, or swap two neighbours (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const edit = Math.min(replace, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row.push(swapped ? Math.min(edit, (beforeLast[j - 2] ?? 0) + 1) : edit);
    }
    [beforeLast, last] = [last, row];
  }
  return last[b.length] ?? 0;
}
