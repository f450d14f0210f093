import { parseArgs } from 'node:util';
import { type Effort, measureIdle, raceAccept, raceThrough } from './measure.js';
import { profileInto } from './program.js';
import { type Measured, tableOf, writeResults } from './results.js';
import { type Engine, openSite, type Rig, type Site } from './rig.js';

/** `npm run bench [-- --engine redis --repetitions 3 --seconds 5 --deliveries 2000 --concurrency 30 --profile <folder>]` */
const { values } = parseArgs({
  options: {
    engine: { type: 'string' },
    repetitions: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '5' },
    deliveries: { type: 'string', default: '2000' },
    concurrency: { type: 'string' },
    profile: { type: 'string' },
  },
});
const effort: Effort = {
  repetitions: Number(values.repetitions),
  seconds: Number(values.seconds),
  deliveries: Number(values.deliveries),
  concurrency: values.concurrency,
};
const engines = (['redis', 'postgres'] as const).filter(
  (one) => values.engine === undefined || values.engine === one,
);
if (values.profile !== undefined) profileInto(values.profile);
const startedAt = performance.now();

if (
  engines.length === 0 ||
  [effort.repetitions, effort.seconds, effort.deliveries].some((one) => !(one >= 1))
) {
  console.error('An engine is redis or postgres; repetitions, seconds and deliveries are 1 or more.');
  process.exit(1);
}
const site = await openSite();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void site.stop().finally(() => process.exit(130)));
const measured: Measured[] = [];
try {
  for (const engine of engines) measured.push(await measure(site, engine));
} finally {
  await site.stop();
}
const file = writeResults(effort, measured);
console.log(`\n${tableOf(measured)}\n\nEvery figure: ${file}`);

async function measure(at: Site, engine: Engine): Promise<Measured> {
  const on = async <Result>(work: (rig: Rig) => Promise<Result>) => {
    const rig = await at.open(engine);
    try {
      return await work(rig);
    } finally {
      await rig.stop();
    }
  };
  const progress = (text: string) => {
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(0).padStart(4);
    console.error(`${seconds} s  ${engine}: ${text}`);
  };
  const idle = await on((rig) => measureIdle(rig, progress));
  const accept = await on((rig) => raceAccept(rig, effort, progress));
  const through = await on((rig) => raceThrough(rig, effort, progress));
  return { engine, ...idle, accept, ...through };
}
