import { COMMANDS } from '../cli/commands.js';
import { runCli } from '../cli/run-cli.js';

const BEGIN = '<!-- What follows is what --help says: node test/dist/docs/write-cli-page.js -->';

/** Every command as its own `--help` explains it, in Markdown. */
async function commandReference(): Promise<string> {
  const sections: string[] = [];
  for (const command of COMMANDS) {
    const { code, stdout } = await runCli([...command, '--help']);
    if (code !== 0) throw new Error(`${command.join(' ')} --help ended with ${code}`);
    sections.push(`### ${command.join(' ')}\n\n\`\`\`\n${withoutGlobals(stdout).trim()}\n\`\`\`\n`);
  }
  return sections.join('\n');
}

/** The page with what stands below the mark made anew. */
export async function cliPage(page: string): Promise<string> {
  const [head] = page.split(BEGIN);
  return `${head}${BEGIN}\n\n${await commandReference()}`;
}

/** Said once, above, and not with each command. */
function withoutGlobals(help: string): string {
  return help
    .replace(/\nGlobal Options:\n(?: .*\n)+/, '')
    .replace(/^ {2}-h, --help .*\n/m, '')
    .replace(/\nOptions:\n(?=\n|$)/, '\n');
}
