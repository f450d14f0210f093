import { type Setting, settingGroups } from './settings-list.js';

const WIDTH = 110;

/** `.env.example`: every setting with its default, switched off, so that a copy of it changes nothing. */
export function envExample(): string {
  const head = `# Settings of Belfry. Copy this file to .env and take the # away from what you want to change.
# What the environment already has wins over .env; an empty value counts as left out.
# npm start needs none of these. docs/settings.md has the same list as tables.
`;
  const groups = settingGroups().map(({ title, note, optional, settings }) =>
    [
      `\n# --- ${title.replaceAll('`', '')} ---\n`,
      ...(note === undefined ? [] : [`${wrapped(note.replaceAll('`', '')).join('\n')}\n`]),
      ...settings.map((one) => exampleOf(one, optional === true)),
    ].join('\n'),
  );
  return `${[head, ...groups].join('\n').trimEnd()}\n`;
}

function exampleOf({ name, standard, required, description }: Setting, optional: boolean): string {
  const text = `${description}${required ? (optional ? ' Required with this provider.' : ' Required.') : ''}`;
  return `${wrapped(text).join('\n')}\n#${name}=${quoted(standard ?? '')}\n`;
}

/** Node's reader of such files takes what follows a # for a comment, and trims. */
function quoted(value: string): string {
  return /[#\s<>]/.test(value) ? `"${value}"` : value;
}

function wrapped(text: string): string[] {
  const lines: string[] = ['#'];
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? '#';
    if (last.length + 1 + word.length > WIDTH) lines.push(`# ${word}`);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

/** `docs/settings.md`: the same as tables. */
export function settingsPage(): string {
  const head = `# Settings

Belfry is configured through environment variables. A file \`.env\` in the working directory is read too; what the
environment already has wins. An empty value counts as left out. A process that cannot use its settings does not start: it
names all that is wrong at once, never with a value, since a value may be a secret. \`npm run doctor\` says what to do.

\`npm start\` needs no settings at all. The API and the workers need \`DATABASE_URL\`, and the API a way to check tokens:
\`JWT_SECRET\`, or \`JWKS_URL\` with an asymmetric \`ALGORITHM\`. [.env.example](../.env.example) has the same list, to be copied.
What the providers do with theirs is in [providers.md](providers.md).
`;
  const groups = settingGroups().map(
    ({ title, introduction, settings }) => `\n## ${title}\n\n${introduction}\n\n${table(settings)}`,
  );
  return `${head}${groups.join('')}`;
}

function table(settings: readonly Setting[]): string {
  const rows = [
    ['setting', 'default', 'what it is'],
    ...settings.map(({ name, standard, required, description }) => [
      `\`${name}\``,
      standard === null ? (required ? 'required' : '') : `\`${standard}\``,
      description,
    ]),
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const [head = [], ...body] = rows;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return `${[line(head), rule, ...body.map(line)].join('\n')}\n`;
}
