import { ACCOUNT_HANDLERS } from './account-handlers.ts';
import { DISCOVERY_HANDLERS } from './discovery-handlers.ts';
import { DOMAIN_HANDLERS } from './domain-handlers.ts';
import { EVENT_HANDLERS } from './event-handlers.ts';
import type { Handler } from './handler.ts';
import { IMAGE_HANDLERS } from './image-handlers.ts';
import { NODE_GROUP_HANDLERS } from './node-group-handlers.ts';
import { RACK_HANDLERS } from './rack-handlers.ts';
import { RANGE_HANDLERS } from './range-handlers.ts';
import { SETTING_HANDLERS } from './setting-handlers.ts';
import { SUBNET_HANDLERS } from './subnet-handlers.ts';
import { VLAN_HANDLERS } from './vlan-handlers.ts';

/** All that operators can ask, in the order in which it is described. */
export const HANDLERS: readonly Handler[] = [
  ...ACCOUNT_HANDLERS,
  ...SETTING_HANDLERS,
  ...IMAGE_HANDLERS,
  ...NODE_GROUP_HANDLERS,
  ...SUBNET_HANDLERS,
  ...VLAN_HANDLERS,
  ...RANGE_HANDLERS,
  ...DOMAIN_HANDLERS,
  ...RACK_HANDLERS,
  ...DISCOVERY_HANDLERS,
  ...EVENT_HANDLERS,
];
