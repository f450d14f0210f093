import { z } from 'zod';
import { retryAfter } from './headers.js';
import type { Answer, Content, Operation } from './operation.js';

const page: Content = {
  'text/html': { schema: z.string(), examples: { page: '<!doctype html>…' } },
};

const params = z.object({
  token: z.string().meta({
    description: 'As it stands in the message',
    param: { example: 'AZq-U1p2dXqPQ8l0T3sVbGJvUmFkZ0hPaHd3Zz' },
  }),
});

const NOT_DONE: Readonly<Record<number, Answer>> = {
  404: { description: 'A page: nobody here has made this link', content: page },
  410: { description: 'A page: it is too old, or what it led to is gone', content: page },
  429: {
    description: 'A page: there were too many requests',
    headers: { 'Retry-After': retryAfter },
    content: page,
  },
  500: { description: 'A page: something went wrong inside', content: page },
  503: {
    description: 'A page: the database cannot be reached',
    headers: { 'Retry-After': retryAfter },
    content: page,
  },
};

/** The page of the link that is in what tells of an alert. */
export const linkPages: readonly Operation[] = [
  {
    id: 'showLinkedAlert',
    method: 'get',
    path: '/a/{token}',
    who: null,
    summary: 'The page of a link that tells of an alert',
    description: 'It shows the alert and a button. Looking changes nothing, whoever looks.',
    params,
    answers: { 200: { description: 'A page, in the language of the person', content: page }, ...NOT_DONE },
  },
  {
    id: 'answerLinkedAlert',
    method: 'post',
    path: '/a/{token}',
    who: null,
    summary: 'Acknowledge or resolve the alert of a link',
    description:
      'What the button of the page sends. It is done by the person that the link was made for; who was first stays.',
    params,
    body: {
      'application/x-www-form-urlencoded': {
        schema: z.object({ verb: z.enum(['acknowledge', 'resolve']).default('acknowledge') }),
        examples: { acknowledge: 'verb=acknowledge', resolve: 'verb=resolve' },
      },
    },
    answers: {
      303: { description: 'Done, by this person or by another: the page says so' },
      413: { description: 'A page: that was no button', content: page },
      ...NOT_DONE,
    },
  },
];
