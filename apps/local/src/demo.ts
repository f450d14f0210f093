import { spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';

/** The request that the demo makes, and that the printed `curl` line repeats. */
export const DEMO_NOTIFICATION = {
  user_id: 'abebe',
  event_type: 'payment_success',
  context: {
    property_title: 'Bole Garden Apartment',
    location: 'Addis Ababa',
    tenant_name: 'Abebe Bekele',
    amount: 12500,
    currency: 'ETB',
  },
};

/** Where to send the demo and as whom. */
export type DemoTarget = {
  readonly apiUrl: string;
  readonly token: string;
  /** The checkout. */
  readonly root: string;
  readonly signal: AbortSignal;
};

const LIMIT_MS = 45_000;

/**
 * Sends one notification to a demo person, as an operator would (`npm run belfry -- send … --wait`), and tells each change
 * of each delivery. Returns a sentence when it could not be sent or did not arrive.
 */
export async function sendDemo(
  { apiUrl, token, root, signal }: DemoTarget,
  onLine: (line: string) => void,
): Promise<string | undefined> {
  const { user_id, event_type, context } = DEMO_NOTIFICATION;
  const send = ['send', user_id, event_type, JSON.stringify(context), '--wait'];
  const child = spawn(process.execPath, [path.join(root, 'apps/cli/bundle/main.js'), ...send], {
    cwd: root,
    env: { PATH: process.env.PATH, BELFRY_URL: apiUrl, BELFRY_TOKEN: token },
    // Ctrl-C reaches this process alone, which then ends the demo.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: LIMIT_MS,
    signal,
    killSignal: 'SIGKILL',
  });
  const complaints: string[] = [];
  createInterface({ input: child.stdout }).on('line', onLine);
  createInterface({ input: child.stderr }).on('line', (line) => complaints.push(line.trim()));
  return new Promise((resolve) => {
    child.once('error', (error) => complaints.push(error.message));
    child.once('close', (code) =>
      resolve(code === 0 || signal.aborted ? undefined : `the demo failed: ${complaints.join(' ')}`),
    );
  });
}
