import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { barsOf, statsOf } from '@belfry/api/routes/stats.js';
import { STATUSES } from '@belfry/shared/domain/delivery-state.js';
import fc from 'fast-check';

const anyRows = fc.array(
  fc.record({
    eventType: fc.constantFrom('payment_success', 'tenant_update', '__proto__', null),
    status: fc.constantFrom(...STATUSES),
    count: fc.integer({ min: 1, max: 1_000_000 }),
  }),
  { maxLength: 12 },
);

describe('the statistics', () => {
  it('of nothing are zero', () => {
    const stats = statsOf([]);
    assert.equal(stats.total_notifications, 0);
    assert.deepEqual(stats.by_event_type, {});
    assert.equal(barsOf(stats), 'Total:   0\nSent:    0\nFailed:  0\nPending: 0\n');
  });

  it('have a bar for what was cancelled once something was', () => {
    const rows = (['SENT', 'CANCELLED'] as const).map((status) => ({ eventType: null, status, count: 1 }));
    assert.equal(
      barsOf(statsOf(rows)),
      'Total:     || 2\nSent:      | 1\nFailed:    0\nPending:   0\nCancelled: | 1\n',
    );
  });

  it('add up, by status as by event', () => {
    fc.assert(
      fc.property(anyRows, (rows) => {
        const stats = statsOf(rows);
        const sum = (some: typeof rows) => some.reduce((total, { count }) => total + count, 0);
        assert.equal(stats.total_notifications, sum(rows));
        const totals = {
          SENT: stats.total_sent,
          FAILED: stats.total_failed,
          PENDING: stats.total_pending,
          CANCELLED: stats.total_cancelled,
        };
        for (const status of STATUSES) {
          const wanted = sum(rows.filter((row) => row.status === status));
          assert.equal(totals[status], wanted);
          assert.equal(stats.by_status[status], wanted);
          const events = Object.entries(stats.by_event_type);
          assert.equal(
            events.reduce((total, [, counts]) => total + counts[status], 0),
            wanted,
          );
          for (const [event, counts] of events) {
            const mine = rows.filter((row) => (row.eventType ?? 'none') === event && row.status === status);
            assert.equal(counts[status], sum(mine));
          }
        }
      }),
    );
  });

  it('are bars on one scale: forty strokes at most, one at least for what is not zero', () => {
    fc.assert(
      fc.property(anyRows, (rows) => {
        const stats = statsOf(rows);
        const bars = barsOf(stats).trimEnd().split('\n');
        const counts = [
          ['Total', stats.total_notifications],
          ['Sent', stats.total_sent],
          ['Failed', stats.total_failed],
          ['Pending', stats.total_pending],
          ...(stats.total_cancelled > 0 ? [['Cancelled', stats.total_cancelled] as const] : []),
        ] as const;
        assert.equal(bars.length, counts.length);
        const strokes = counts.map(([name, count], index) => {
          const bar = /^(\w+): *(\|*) ?(\d+)$/.exec(bars[index] ?? '');
          assert.deepEqual([bar?.[1], bar?.[3]], [name, String(count)]);
          return bar?.[2]?.length ?? 0;
        });
        assert.equal(
          counts.slice(1).reduce((sum, [, count]) => sum + count, 0),
          stats.total_notifications,
        );
        const most = Math.max(0, ...counts.map(([, count]) => count));
        for (const [index, [, count]] of counts.entries()) {
          const length = strokes[index] ?? 0;
          assert.equal(length > 0, count > 0);
          assert.ok(length <= 40);
          const exact = most <= 40 ? count : (count / most) * 40;
          if (count > 0) assert.ok(Math.abs(length - exact) <= Math.max(0.5, 1 - exact));
        }
      }),
    );
  });
});
