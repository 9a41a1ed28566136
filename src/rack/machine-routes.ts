import type { Context } from 'koa';

import type { Rack } from './rack.ts';

/** `GET /machines`: a line each; with `of=MAC|NAME|ADDRESS`, the whole story of that one, of each of its cards. */
export function listMachines(context: Context, { machines }: Rack): void {
  const { of } = context.query;
  if (of === undefined) {
    context.body = machines.lines();
    return;
  }
  const stories = typeof of === 'string' ? machines.stories(of) : [];
  if (stories.length > 0) {
    context.body = stories;
    return;
  }
  context.status = 404;
  context.body = `no machine that was heard of, no host and no lease is called ${String(of)}\n`;
}
