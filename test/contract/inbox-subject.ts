import { inbox as definition } from '@belfry/channels/realtime/inbox.js';
import type { OutcomeKind } from '@belfry/shared/domain/outcome.js';
import { create, messageFor, type Scene, type Subject } from './subject.js';

const scene = (kind: Scene['kind'], name: string, expect: OutcomeKind, put: () => Promise<void>): Scene => ({
  name,
  kind,
  expect: [expect],
  open: async () => {
    let turn = () => {};
    const reached = new Promise<void>((resolve) => {
      turn = resolve;
    });
    const putInInbox = (): Promise<void> => {
      turn();
      return put();
    };
    const provider = await create(definition, {}, { putInInbox });
    return { provider, reached, quiet: async () => {}, close: () => provider.close() };
  },
});

export const inboxSubject: Subject = {
  definition,
  message: messageFor('realtime', 'person-canary-1', {
    title: 'canary-title',
    body: 'canary-body',
    type: 'info',
    data: {},
  }),
  secrets: ['canary'],
  scenes: [
    scene('taken', 'takes the note', 'sent', () => Promise.resolve()),
    scene('silent', 'never answers', 'ambiguous', () => new Promise(() => {})),
    scene('broken', 'cannot be written', 'retry', () => Promise.reject(new Error('canary: no connection'))),
    scene('broken', 'fails on the spot', 'retry', () => {
      throw new Error('canary: pool is closed');
    }),
  ],
};
