import assert from 'node:assert/strict';
import { createProgram } from '@belfry/cli/program.js';
import { Terminal } from '@belfry/cli/terminal.js';

/** A shell in which nothing is run: the program is only looked at. */
const nobody = () => assert.fail('A command that is only looked at asks for nothing.');
const { stdin, stdout, stderr } = process;
const program = createProgram({
  terminal: new Terminal({ stdout, stderr, env: {} }),
  settings: nobody,
  client: nobody,
  stopped: new AbortController().signal,
  path: nobody,
  stdin,
  stderr,
});

type Branch = Pick<typeof program, 'name'> & { readonly commands: readonly Branch[] };

/** All below a command, each with the words that lead to it. */
function below({ commands }: Branch): { readonly words: readonly string[]; readonly branch: Branch }[] {
  return commands.flatMap((branch) => [
    { words: [branch.name()], branch },
    ...below(branch).map((one) => ({ ...one, words: [branch.name(), ...one.words] })),
  ]);
}

const all = below(program);

/** Every command that does something, in the order of the page about them. */
export const COMMANDS = all.filter(({ branch }) => branch.commands.length === 0).map(({ words }) => words);

/** Those that only hold others, and the program itself. */
export const GROUPS = [
  [],
  ...all.filter(({ branch }) => branch.commands.length > 0).map(({ words }) => words),
];
