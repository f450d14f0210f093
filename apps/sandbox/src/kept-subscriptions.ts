import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { keeper, kept } from './kept-file.js';
import { PushSubscriptions } from './push-subscriptions.js';

const FILE = 'subscriptions.json';

const keptSubscriptions = z.object({
  subscribed: z.array(z.object({ name: z.string(), applicationServerKey: z.string().nullable() })),
  ended: z.array(z.string()),
});

/** Subscriptions that outlive the process. */
export interface KeptSubscriptions {
  readonly subscriptions: PushSubscriptions;
  /** Resolves when what has changed is on disk. */
  save(): Promise<void>;
}

/**
 * The subscriptions that are kept in the folder, those that have ended too: a browser is subscribed until it says otherwise, however
 * often its push service restarts. Without a folder there are none at first. A file that cannot be read counts as empty.
 */
export async function openSubscriptions(folder: string | undefined): Promise<KeptSubscriptions> {
  if (folder === undefined) return { subscriptions: new PushSubscriptions(), save: async () => undefined };
  const seed = await kept(folder, 'subscriptions.seed', async () => crypto.randomUUID());
  const subscriptions = new PushSubscriptions(seed);
  const { subscribed, ended } = await readKept(path.join(folder, FILE));
  for (const name of ended) {
    subscriptions.add({ name, applicationServerKey: null });
    subscriptions.end(name);
  }
  for (const one of subscribed) subscriptions.add(one);
  const text = () =>
    JSON.stringify({
      subscribed: subscriptions
        .list()
        .map(({ name, applicationServerKey }) => ({ name, applicationServerKey })),
      ended: subscriptions.listEnded(),
    });
  return { subscriptions, save: keeper(folder, FILE, text) };
}

async function readKept(file: string): Promise<z.infer<typeof keptSubscriptions>> {
  const nothing = { subscribed: [], ended: [] };
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return nothing;
  try {
    return keptSubscriptions.parse(JSON.parse(text));
  } catch {
    return nothing;
  }
}
