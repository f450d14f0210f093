import type { Command } from 'commander';
import type { Stats } from '../api/shapes.js';
import type { Shell } from '../shell.js';
import { tableLines } from '../text/table.js';
import { visible, visibleLines } from '../text/visible.js';

const COLUMNS = ['SENT', 'FAILED', 'PENDING', 'CANCELLED'] as const;

/** `belfry stats`: the bars that the API draws, and the same by event. */
export function addStats(program: Command, shell: Shell): void {
  program
    .command('stats')
    .description('count notifications by status, as bars, and by event')
    .action(async () => {
      const { terminal } = shell;
      const client = await shell.client();
      const stats = await client.call<Stats>('GET', '/notifications/stats');
      terminal.answer(stats);
      if (terminal.json) return;
      const bars = visibleLines(await client.text('/notifications/stats'));
      terminal.line(bars.trimEnd());
      const events = Object.entries(stats.by_event_type).toSorted(([a], [b]) => a.localeCompare(b));
      if (events.length === 0) return;
      terminal.line();
      const rows = events.map(([event, counts]) => [
        visible(event),
        ...COLUMNS.map((status) => String(counts[status] ?? 0).padStart(status.length)),
      ]);
      for (const line of tableLines(['EVENT', ...COLUMNS], rows, terminal.width)) terminal.line(line);
    });
}
