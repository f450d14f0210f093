import assert from 'node:assert/strict';
import type { ProviderStanding } from '@belfry/shared/domain/provider-standing.js';
import type { Fleet } from './fleet.js';

/** What `/ready` answers. */
export type Ready = {
  readonly status: 'ready' | 'degraded' | 'unavailable';
  readonly failing: readonly string[];
  readonly engine: string;
  readonly workers: number | null;
  readonly lost: number | null;
  readonly unserved: readonly string[];
  readonly untold: number | null;
  readonly exhausted: number | null;
  readonly providers: readonly ProviderStanding[];
};

/** Asks the fleet whether it is ready; the answer has to be 200. */
export async function readiness({ page }: Fleet): Promise<Ready> {
  const { status, text } = await page('/ready', { as: null });
  assert.equal(status, 200, text);
  return JSON.parse(text);
}
