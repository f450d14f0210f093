/** True when `--json` asks for one JSON value on stdout, for programs that read what a command did. */
export function asksForJson(): boolean {
  return process.argv.includes('--json');
}
