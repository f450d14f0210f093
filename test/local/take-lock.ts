import { takeLock } from '@belfry/local/lock.js';

// Takes the lock when told to, says whether it has it, and keeps it until it is killed.
process.once('message', () => {
  const taken = takeLock(process.env.LOCK_FILE ?? '');
  process.send?.({ taken: !('heldBy' in taken) });
});
process.send?.({ ready: true });
