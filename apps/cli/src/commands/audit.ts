import type { Command } from 'commander';
import type { AuditEvent } from '../api/shapes.js';
import type { Shell } from '../shell.js';
import { brief } from '../text/times.js';
import { visible } from '../text/visible.js';
import { type Page, pageQuery, withPage } from './options.js';
import { showList } from './show-list.js';

interface Filters {
  readonly actor?: string;
  readonly action?: string;
  readonly target?: string;
  readonly user?: string;
}

/** `belfry audit list`: who did what to what. */
export function addAudit(program: Command, shell: Shell): void {
  const audit = program.command('audit').description('the audit trail: who did what, to what, and when');
  withPage(audit.command('list'))
    .description('list administrative acts, the newest first')
    .option('--actor <who>', "by this token's subject")
    .option('--action <action>', 'of this kind')
    .option('--target <target>', 'to this thing')
    .option('-u, --user <id>', 'to this person')
    .action(async (options: Filters & Page) => {
      const { actor, action, target, user } = options;
      const query = { actor, action, target, user_id: user, ...pageQuery(options) };
      await showList(shell.terminal, (await shell.client()).pages<AuditEvent>('/audit', query), options, {
        head: ['AT', 'WHO', 'ROLE', 'ACTION', 'TARGET', 'DETAILS'],
        row: (one) => [
          brief(one.at),
          visible(one.actor),
          visible(one.role),
          visible(one.action),
          visible(one.target ?? '-'),
          visible(one.details === null || one.details === undefined ? '' : JSON.stringify(one.details)),
        ],
        // What --target takes.
        whole: ['TARGET'],
        spare: ['ROLE', 'DETAILS'],
        none: 'There is no such act.',
      });
    });
}
