import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openDoor } from '@belfry/api/mqtt/door.js';
import { readSettings } from '@belfry/shared/config/read.js';
import { apiSettings } from '@belfry/shared/config/settings.js';
import { newId } from '@belfry/shared/domain/ids.js';
import type { Database } from '@belfry/shared/ledger/database.js';
import {
  knowMqttSessions,
  releaseMqttSession,
  renewMqttSessions,
  takeMqttSession,
} from '@belfry/shared/ledger/mqtt-sessions.js';
import { startScriptedBroker } from '../support/scripted-broker.js';
import { waitFor } from '../support/wait.js';
import { SILENT } from './with-engine.js';
import { withLedger } from './with-ledger.js';

describe('a session at the broker', () => {
  const ledger = withLedger();
  const lapse = () =>
    ledger.one.rows("UPDATE mqtt_session SET leased_until = now() - interval '1 second'", []);

  it('is not taken by a door that has it in its hands, and its lease is renewed if nobody took it', async () => {
    const [one, two] = [newId(), newId()];
    await knowMqttSessions(ledger.one, 1);
    assert.equal(await takeMqttSession(ledger.one, one, []), 1);
    await lapse();
    assert.equal(await takeMqttSession(ledger.one, one, [1]), null);
    assert.deepEqual(await renewMqttSessions(ledger.one, one), [{ number: 1, wanted: false }]);
    assert.equal(await takeMqttSession(ledger.two, two, []), null);
    await lapse();
    assert.equal(await takeMqttSession(ledger.two, two, []), 1);
    assert.deepEqual(await renewMqttSessions(ledger.one, one), []);
    await releaseMqttSession(ledger.two, two, 1);
  });

  it('is let go by a door that cannot renew its lease, and held again when it can', async () => {
    const broker = await startScriptedBroker();
    const database = { away: false };
    const settings = readSettings(apiSettings, {
      DATABASE_URL: ledger.url,
      JWT_SECRET: 'x'.repeat(32),
      MQTT_URL: broker.url,
      MQTT_SESSIONS: '1',
    });
    const door = openDoor({
      url: broker.url,
      settings,
      database: sometimes(ledger.one, database),
      app: () => undefined,
      events: SILENT,
    });
    const left = () => broker.received.filter(({ cmd }) => cmd === 'disconnect').length;
    try {
      await waitFor(() => broker.connections() === 1 && door.isUp());
      database.away = true;
      await waitFor(() => left() === 1, { what: 'the door to leave its broker' });
      assert.equal(broker.connections(), 1);
      database.away = false;
      await waitFor(() => broker.connections() === 2 && door.isUp(), { what: 'the door to come back' });
    } finally {
      await door.stop(0);
      await broker.stop();
    }
    assert.equal(await takeMqttSession(ledger.two, newId(), []), 1);
  });
});

function sometimes(database: Database, state: { readonly away: boolean }): Database {
  return {
    ...database,
    rows: (statement, values) =>
      state.away ? Promise.reject(new Error('away')) : database.rows(statement, values),
  };
}
