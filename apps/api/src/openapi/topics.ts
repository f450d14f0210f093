import { alerts } from './alerts.js';
import { audit } from './audit.js';
import { broadcasts } from './broadcasts.js';
import { deadLetters } from './dead-letters.js';
import { devices } from './devices.js';
import { escalation } from './escalation.js';
import { groups } from './groups.js';
import { inbox } from './inbox.js';
import { operating } from './operating.js';
import type { Topic } from './operation.js';
import { pages } from './pages.js';
import { people } from './people.js';
import { reading } from './reading.js';
import { realtime } from './realtime.js';
import { sending } from './sending.js';

/** Everything that the API serves, in the order in which it is shown. */
export const TOPICS: readonly Topic[] = [
  sending,
  broadcasts,
  alerts,
  escalation,
  reading,
  operating,
  deadLetters,
  people,
  groups,
  devices,
  inbox,
  realtime,
  audit,
  pages,
];
