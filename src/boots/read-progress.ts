import type { BootRow } from './boot-row.ts';
import type { Coverage } from './coverage.ts';

type Progress = Pick<BootRow, 'files' | 'isCounted' | 'boots'>;

/** How far a boot was, as JSON that we wrote; of anything else, that it was nowhere. */
export function readProgress(text: string): Progress {
  try {
    const { files, isCounted, boots } = JSON.parse(text) as Partial<Progress>;
    const sound = Object.entries(files ?? {}).filter(([, coverage]) => isCoverage(coverage));
    const times = Array.isArray(boots) ? boots.filter((at) => Number.isFinite(at)) : [];
    return { files: Object.fromEntries(sound), isCounted: isCounted === true, boots: times };
  } catch {
    return { files: {}, isCounted: false, boots: [] };
  }
}

function isCoverage({ size, spans }: Coverage): boolean {
  return Number.isFinite(size) && Array.isArray(spans) && spans.flat().every((end) => Number.isFinite(end));
}
