import type { Sql } from '../database/database.ts';

/** The setting that says where racks find the region's own images. */
export const IMAGE_STREAM_SETTING = 'image_stream';

/** As a source in a rack's config; empty where there is none. Whoever runs the region answers for what is in it, as for the plan. */
export async function imageStreamSource(sql: Sql): Promise<{ readonly url: string; readonly unsigned: true }[]> {
  const [row] = await sql.query('SELECT value FROM setting WHERE name = $1', [IMAGE_STREAM_SETTING]);
  const url = row?.['value'];
  return typeof url === 'string' ? [{ url, unsigned: true }] : [];
}
