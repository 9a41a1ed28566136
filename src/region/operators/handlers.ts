import { ACCOUNT_HANDLERS } from './account-handlers.ts';
import type { Handler } from './handler.ts';
import { IMAGE_HANDLERS } from './image-handlers.ts';
import { NODE_GROUP_HANDLERS } from './node-group-handlers.ts';
import { RACK_HANDLERS } from './rack-handlers.ts';
import { SUBNET_HANDLERS } from './subnet-handlers.ts';

/** All that operators can ask, in the order in which it is described. */
export const HANDLERS: readonly Handler[] = [
  ...ACCOUNT_HANDLERS,
  ...IMAGE_HANDLERS,
  ...NODE_GROUP_HANDLERS,
  ...SUBNET_HANDLERS,
  ...RACK_HANDLERS,
];
