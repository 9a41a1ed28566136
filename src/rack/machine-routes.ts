import type { Context } from 'koa';

import type { Rack } from './rack.ts';

/**
 * `GET /machines`: a line each; with `of=MAC|NAME|ADDRESS`, the whole story of that one, of each of its cards. For tests only,
 * `later`: as if so many seconds had passed.
 */
export function listMachines(context: Context, { machines }: Rack, testHooks: boolean): void {
  const { of, later } = context.query;
  if (of === undefined) {
    context.body = machines.lines();
    return;
  }
  const stories = typeof of === 'string' ? machines.stories(of, testHooks ? Number(later ?? 0) * 1000 : 0) : [];
  if (stories.length > 0) {
    context.body = stories;
    return;
  }
  context.status = 404;
  context.body = `no machine that was heard of, no host and no lease is called ${String(of)}\n`;
}
