import { announceReady, runUntilStopped } from '@belfry/shared/service/lifecycle.js';
import { orExit } from '@belfry/shared/service/or-exit.js';
import { openWorkerProcess } from './open.js';

const { log, running, facts } = await orExit(openWorkerProcess);
runUntilStopped(log, running);
log.info(facts, 'worker ready');
announceReady(facts);
