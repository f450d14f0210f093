import { freePort } from '../support/ports.js';
import { at, type Case } from './parts.js';

/** What can be wrong with the MQTT broker, or with what is said of it. */
export const BROKEN_BROKER: readonly Case[] = [
  [
    'a broker that is away',
    async () => ({ MQTT_URL: `mqtt://127.0.0.1:${await freePort()}` }),
    'warning',
    /MQTT broker at 127\.0\.0\.1:\d+ cannot be reached: .*ECONNREFUSED/,
    /host and port in MQTT_URL/,
  ],
  [
    'a broker that refuses the login',
    ({ brokers }) => ({ MQTT_URL: at(brokers.closed, { username: 'belfry', password: 'canary-4711' }) }),
    'error',
    /refuses the user or password in MQTT_URL/,
    /%XX/,
  ],
  [
    'a broker without shared subscriptions',
    ({ brokers }) => ({ MQTT_URL: brokers.unshared }),
    'error',
    /has no shared subscriptions/,
    /MQTT_SHARED to off/,
  ],
  [
    'a broker that does not speak MQTT 5',
    ({ brokers }) => ({ MQTT_URL: brokers.old }),
    'error',
    /does not speak the version in MQTT_VERSION/,
    /MQTT_VERSION to 3\.1\.1/,
  ],
  [
    'a broker with a certificate that nobody trusts',
    ({ brokers }) => ({ MQTT_URL: brokers.secret }),
    'error',
    /certificate of the MQTT broker .* is not trusted \(DEPTH_ZERO_SELF_SIGNED_CERT\)/,
    /MQTT_CA_FILE/,
  ],
];
