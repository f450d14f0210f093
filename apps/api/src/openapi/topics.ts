import { alerts } from './alerts.js';
import { answers } from './answers.js';
import { audit } from './audit.js';
import { broadcasts } from './broadcasts.js';
import { deadLetters } from './dead-letters.js';
import { devices } from './devices.js';
import { escalation } from './escalation.js';
import { groups } from './groups.js';
import { inbound } from './inbound.js';
import { inbox } from './inbox.js';
import { onCallTopic } from './on-call.js';
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
  inbound,
  answers,
  reading,
  operating,
  deadLetters,
  people,
  groups,
  onCallTopic,
  devices,
  inbox,
  realtime,
  audit,
  pages,
];
