import { loadEnvFile } from '@belfry/shared/config/read.js';
import { INTERRUPTED, orExit } from '@belfry/shared/service/or-exit.js';
import type { Finding } from './checkup.js';
import { examine } from './examine.js';

const MARK = { ok: 'ok     ', warning: 'warning', error: 'ERROR  ' } as const;

/**
 * `npm run doctor`: says whether Belfry would run here, and what to do where it would not. Exit code 1 when it would not;
 * warnings alone leave it at 0. With `--json` the findings are one JSON value.
 */
await orExit(async () => {
  loadEnvFile();
  const { argv, env } = process;
  const json = argv.includes('--json');
  const findings: Finding[] = [];
  for await (const finding of examine(env)) {
    findings.push(finding);
    if (json) continue;
    console.log(`${MARK[finding.level]}  ${finding.finding}`);
    if (finding.remedy !== undefined) console.log(`         → ${finding.remedy}`);
  }
  const errors = findings.filter(({ level }) => level === 'error').length;
  const warnings = findings.filter(({ level }) => level === 'warning').length;
  if (json) console.log(JSON.stringify({ ok: errors === 0, findings }, null, 2));
  else
    console.log(
      errors === 0
        ? `Belfry would run here${warnings > 0 ? `, with ${warnings} to look at` : ''}.`
        : `Belfry would not run here: ${errors} to mend.`,
    );
  process.exit(errors === 0 ? 0 : 1);
}, INTERRUPTED);
