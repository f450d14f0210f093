import { Command } from 'commander';

/** `npm run belfry -- …`: everything that an operator does from a shell. */
const program = new Command('belfry').description('Send, look and mend, from the shell.');

await program.parseAsync();
