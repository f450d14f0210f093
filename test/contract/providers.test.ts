import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PROVIDERS } from '@belfry/channels/providers.js';
import { fcmSubject } from './fcm-subject.js';
import { inboxSubject } from './inbox-subject.js';
import { sesSubject } from './ses-subject.js';
import { smtpSubject } from './smtp-subject.js';
import { providerContract } from './suite.js';
import { twilioSubject } from './twilio-subject.js';
import { webhookSubject } from './webhook-subject.js';
import { webpushSubject } from './webpush-subject.js';

const SUBJECTS = [
  inboxSubject,
  smtpSubject,
  sesSubject,
  twilioSubject,
  webpushSubject,
  fcmSubject,
  webhookSubject,
];

describe('the list of providers', () => {
  it('has every provider under the contract suite', () => {
    assert.deepEqual(
      PROVIDERS.map(({ name }) => name),
      SUBJECTS.map(({ definition }) => definition.name),
    );
  });

  it('names each provider once', () => {
    assert.equal(new Set(PROVIDERS.map(({ name }) => name)).size, PROVIDERS.length);
  });
});

for (const subject of SUBJECTS) providerContract(subject);
