/** Where a rack finds what its region has for it: see etc/region-api.yaml. */
export const RACK_PATHS = {
  enrol: '/racks/v1/enrol',
  plan: '/racks/v1/plan',
  events: '/racks/v1/events',
  status: '/racks/v1/status',
  key: '/racks/v1/key',
} as const;

/** The region's own simplestreams: the same place as in MAAS up to 3.4. */
export const IMAGE_STREAM_PATH = '/MAAS/images-stream/';

/** Seconds that a rack may have its question for a newer plan wait. */
export const LONGEST_WAIT = 60;
/** Of one request's body, once more than which a region reads nothing. */
export const MOST_BODY = 8 * 1024 * 1024;
/** Of one batch. */
export const MOST_RECORDS = 2_000;
