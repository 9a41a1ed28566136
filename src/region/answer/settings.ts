import type { Sql } from '../database/database.ts';

/** What operators set for all racks, by the names that MAAS has for it. */
export interface Settings {
  readonly upstream_dns: readonly string[];
  readonly dns_trusted_acl: readonly string[];
  /** Seconds; null: as racks have it. */
  readonly default_dns_ttl: number | null;
  /** "ubuntu/noble"; nothing: no image. */
  readonly boot_image: string;
  readonly kernel_opts: string;
  readonly http_proxy: string;
  readonly boot_images_auto_import: boolean;
}

const STANDARD_SETTINGS: Settings = {
  upstream_dns: [],
  dns_trusted_acl: [],
  default_dns_ttl: null,
  boot_image: '',
  kernel_opts: '',
  http_proxy: '',
  boot_images_auto_import: true,
};

export async function readSettings(sql: Sql): Promise<Settings> {
  const rows = await sql.query('SELECT name, value FROM setting');
  return { ...STANDARD_SETTINGS, ...Object.fromEntries(rows.map(({ name, value }) => [String(name), value])) };
}

export async function writeSetting<K extends keyof Settings>(sql: Sql, name: K, value: Settings[K]): Promise<void> {
  await sql.query(
    'INSERT INTO setting (name, value) VALUES ($1, $2::jsonb) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
    [name, JSON.stringify(value)],
  );
}
