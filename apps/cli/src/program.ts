import { Command } from 'commander';
import { addAlerts } from './commands/alerts.js';
import { addAudit } from './commands/audit.js';
import { addDead } from './commands/dead.js';
import { addEscalation } from './commands/escalation.js';
import { addNotifications } from './commands/notifications.js';
import { addOncall } from './commands/oncall.js';
import { addPrograms } from './commands/programs.js';
import { addSend } from './commands/send.js';
import { addStats } from './commands/stats.js';
import { addTail } from './commands/tail.js';
import { addTemplate } from './commands/template.js';
import { addUsers } from './commands/users.js';
import type { Shell } from './shell.js';

const ENDING = `
Settings (from the environment and .env):
  BELFRY_URL    where the API is; without it what npm start runs here, or http://127.0.0.1:3000
  BELFRY_TOKEN  whom it sees; without it an Admin token is made from JWT_SECRET

Exit codes: 0 done, 1 refused or failed, 2 not understood.`;

/** All commands, in the order in which they are listed. */
export function createProgram(shell: Shell): Command {
  const program = new Command('belfry')
    .description('Send, look and mend, from the shell.')
    .option('--json', 'answer in JSON on stdout: one value, or one object a line for what streams')
    .addHelpText('after', ENDING)
    .hook('preAction', (_, command) => {
      shell.terminal.json = command.optsWithGlobals().json === true;
    });
  program.commandsGroup('Notifications:');
  addSend(program, shell);
  addNotifications(program, shell);
  addTail(program, shell);
  addStats(program, shell);
  program.commandsGroup('Operating:');
  addDead(program, shell);
  addAlerts(program, shell);
  addEscalation(program, shell);
  addUsers(program, shell);
  addOncall(program, shell);
  addAudit(program, shell);
  program.commandsGroup('Without the API, on the machine of the installation:');
  addTemplate(program, shell);
  addPrograms(program, shell);
  everywhere(program, shell);
  return program;
}

/** What commander inherits only to commands that are made after it is set. */
function everywhere(command: Command, shell: Shell): void {
  command
    .exitOverride()
    .helpCommand(false)
    .showHelpAfterError('(add --help to see how it is written)')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => shell.terminal.raw(text),
      writeErr: (text) => void shell.stderr.write(text),
    });
  for (const one of command.commands) everywhere(one, shell);
}
