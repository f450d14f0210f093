import { announceReady, runUntilStopped } from '@belfry/shared/service/lifecycle.js';
import { orExit } from '@belfry/shared/service/or-exit.js';
import { openApiProcess } from './open.js';

const { log, running, facts, failed } = await orExit(openApiProcess);
runUntilStopped(log, running, failed);
log.info(facts, 'api ready');
announceReady(facts);
