/** One call that the contract names, with a body that is accepted (`PERSON` has to be there). */
export type ContractCall = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly body?: Readonly<Record<string, unknown>>;
  /** Who may, besides administrators. */
  readonly also: readonly ('internal' | 'self')[];
};

export const PERSON = 'somebody';
/** A well-formed id of no notification. */
export const NO_ID = '01890000-0000-7000-8000-000000000000';

const MESSAGE = { user_id: PERSON, message: 'Your keys are ready.' };
const EVENT = {
  user_id: PERSON,
  event_type: 'payment_success',
  context: { property_title: 'Flat 4B', amount: 1200, currency: 'ETB' },
  priority: 'high',
  channels: ['email'],
  data: { invoice: 7 },
  send_at: '2027-01-15T08:30:00+03:00',
  expires_at: '2027-01-16T08:30:00+03:00',
};
const MAIL = { to: 'somebody@example.org', subject: 'Your lease', body: 'It is signed.' };

/** Every call of the contract that this build has. */
export const CALLS: readonly ContractCall[] = [
  { method: 'POST', path: '/notifications/send', body: MESSAGE, also: ['internal'] },
  {
    method: 'POST',
    path: `/notifications/realtime/user/${PERSON}`,
    body: { message: 'Your keys are ready.' },
    also: ['internal'],
  },
  { method: 'POST', path: '/notifications/send', body: EVENT, also: ['internal'] },
  {
    method: 'POST',
    path: '/notifications/batch',
    body: { notifications: [MESSAGE, EVENT] },
    also: ['internal'],
  },
  { method: 'GET', path: '/notifications', also: [] },
  { method: 'GET', path: `/notifications/${NO_ID}`, also: [] },
  { method: 'GET', path: '/notifications/stats', also: [] },
  { method: 'POST', path: '/notifications/retry', also: ['internal'] },
  { method: 'POST', path: `/notifications/${NO_ID}/cancel`, also: ['internal'] },
  { method: 'POST', path: '/notifications/explain', body: MESSAGE, also: ['internal'] },
  { method: 'POST', path: '/notifications/email/send', body: MAIL, also: ['internal'] },
  { method: 'POST', path: '/notifications/email/batch', body: { emails: [MAIL] }, also: ['internal'] },
  { method: 'GET', path: `/email/${NO_ID}`, also: ['internal'] },
  {
    method: 'POST',
    path: '/notifications/sms/send',
    body: { phone: '+251911000001', message: 'It is signed.' },
    also: ['internal'],
  },
  {
    method: 'POST',
    path: '/notifications/push/mobile/ios',
    body: { user_id: PERSON, message: 'Your keys are ready.' },
    also: ['internal'],
  },
  {
    method: 'POST',
    path: '/notifications/realtime/broadcast',
    body: {
      message: 'Hello',
      title: 'All',
      type: 'system',
      target_groups: ['nobody'],
      channels: ['realtime'],
    },
    also: ['internal'],
  },
  {
    method: 'PUT',
    path: '/on-call/disk_full',
    body: {
      user_ids: [PERSON],
      layers: [
        {
          name: 'weekly',
          user_ids: [PERSON],
          turn: { every: 'week' },
          hand_off: '09:00',
          timezone: 'Africa/Addis_Ababa',
          starts_at: '2026-11-23T06:00:00Z',
          ends_at: null,
        },
      ],
    },
    also: [],
  },
  { method: 'GET', path: '/on-call', also: [] },
  { method: 'GET', path: '/on-call/disk_full', also: [] },
  { method: 'GET', path: '/on-call/disk_full/calendar', also: [] },
  {
    method: 'POST',
    path: '/on-call/disk_full/overrides',
    body: {
      user_id: PERSON,
      replaces: null,
      starts_at: '2027-01-07T00:00:00Z',
      ends_at: '2027-01-08T00:00:00Z',
    },
    also: [],
  },
  { method: 'GET', path: '/on-call/disk_full/overrides', also: [] },
  { method: 'DELETE', path: `/on-call/disk_full/overrides/${NO_ID}`, also: [] },
  {
    method: 'POST',
    path: `/websocket/connect/${PERSON}`,
    body: { session_id: 'phone', device_info: { name: 'A phone' } },
    also: ['internal', 'self'],
  },
  {
    method: 'POST',
    path: `/websocket/heartbeat/${PERSON}`,
    body: { session_id: 'phone' },
    also: ['internal', 'self'],
  },
  { method: 'GET', path: `/presence/${PERSON}`, also: ['internal', 'self'] },
  {
    method: 'POST',
    path: `/websocket/disconnect/${PERSON}`,
    body: { session_id: 'tablet' },
    also: ['internal', 'self'],
  },
  {
    method: 'POST',
    path: '/notifications/realtime/group/nobodys',
    body: { message: 'Hello', priority: 'low', send_at: '2027-01-15T08:30:00+03:00' },
    also: ['internal'],
  },
  {
    method: 'POST',
    path: '/notifications/system/status',
    body: { message: 'All is well', target_groups: ['nobody'], data: { green: true } },
    also: ['internal'],
  },
  {
    method: 'POST',
    path: '/notifications/system/maintenance',
    body: {
      message: 'Away',
      target_groups: ['nobody'],
      starts_at: '2027-01-17T02:00:00+03:00',
      ends_at: '2027-01-17T04:00:00+03:00',
      remind_before_ms: 3_600_000,
    },
    also: ['internal'],
  },
  { method: 'GET', path: '/broadcasts', also: ['internal'] },
  { method: 'GET', path: `/broadcasts/${NO_ID}`, also: ['internal'] },
  { method: 'GET', path: `/broadcasts/${NO_ID}/progress`, also: ['internal'] },
  { method: 'POST', path: `/broadcasts/${NO_ID}/pause`, also: ['internal'] },
  { method: 'POST', path: `/broadcasts/${NO_ID}/resume`, also: ['internal'] },
  { method: 'POST', path: `/broadcasts/${NO_ID}/cancel`, also: ['internal'] },
  {
    method: 'PUT',
    path: '/escalation-policies/disk_full',
    body: {
      steps: [{ name: 'again', after_ms: 60_000, notify: { on_call: true }, channels: ['sms'] }],
      repeat: 2,
    },
    also: [],
  },
  { method: 'GET', path: '/escalation-policies', also: [] },
  { method: 'GET', path: '/escalation-policies/disk_full', also: [] },
  { method: 'DELETE', path: '/escalation-policies/disk_full', also: [] },
  { method: 'GET', path: '/groups', also: [] },
  { method: 'GET', path: '/groups/nobodys', also: [] },
  { method: 'PUT', path: `/groups/g/members/${PERSON}`, also: [] },
  { method: 'DELETE', path: `/groups/g/members/${PERSON}`, also: [] },
  { method: 'GET', path: '/audit', also: [] },
  {
    method: 'PUT',
    path: '/alert-sources/prometheus',
    body: { kind: 'alertmanager', level: 'info' },
    also: [],
  },
  { method: 'GET', path: '/alert-sources', also: [] },
  { method: 'GET', path: '/alert-sources/prometheus', also: [] },
  { method: 'POST', path: '/alert-sources/prometheus/token', also: [] },
  { method: 'DELETE', path: '/alert-sources/nobodys', also: [] },
  {
    method: 'PUT',
    path: '/heartbeats/nightly',
    body: { after_ms: 60_000, alert_type: 'backup_late', level: 'info', message: 'No backup' },
    also: [],
  },
  { method: 'POST', path: '/heartbeats/nightly', also: ['internal'] },
  { method: 'GET', path: '/heartbeats', also: [] },
  { method: 'GET', path: '/heartbeats/nightly', also: [] },
  { method: 'DELETE', path: '/heartbeats/nobodys', also: [] },
  { method: 'GET', path: '/dead-letters', also: [] },
  { method: 'POST', path: '/dead-letters/replay', body: { ids: [NO_ID], rate: 50 }, also: [] },
  { method: 'POST', path: '/dead-letters/replay', body: { filter: { class: 'poison' } }, also: [] },
  { method: 'GET', path: '/users', also: [] },
  { method: 'GET', path: '/users?search=some&active=true&group=g&role=clerk', also: [] },
  { method: 'POST', path: '/users/import', also: [] },
  {
    method: 'PUT',
    path: `/users/${PERSON}`,
    body: { email: 'somebody@example.org', groups: ['g'] },
    also: [],
  },
  { method: 'GET', path: `/users/${PERSON}`, also: [] },
  { method: 'GET', path: `/users/${PERSON}/preferences`, also: ['self'] },
  { method: 'GET', path: `/users/${PERSON}/webhook-secret`, also: [] },
  { method: 'GET', path: `/users/${PERSON}/inbox`, also: ['self'] },
  { method: 'GET', path: `/users/${PERSON}/inbox/unread-count`, also: ['self'] },
  { method: 'POST', path: `/users/${PERSON}/inbox/read-all`, also: ['self'] },
  { method: 'POST', path: `/users/${PERSON}/inbox/${NO_ID}/read`, also: ['self'] },
  { method: 'PUT', path: `/users/${PERSON}/preferences`, body: { sms: true, email: true }, also: ['self'] },
  { method: 'GET', path: `/users/${PERSON}/devices`, also: ['self'] },
  {
    method: 'POST',
    path: `/users/${PERSON}/devices`,
    body: { platform: 'android', token: 'dGVzdA:APA91bExampleOfARegistrationToken' },
    also: ['self'],
  },
  { method: 'DELETE', path: '/users/nobody', also: [] },
];
