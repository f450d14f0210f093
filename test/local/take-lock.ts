import { takeLock } from '@belfry/local/lock.js';

// Takes the lock when told to, says whether it has it, and keeps it until it is killed: the listener that stays keeps the
// process alive, and with it its lock.
process.on('message', () => {
  const taken = takeLock(process.env.LOCK_FILE ?? '');
  process.send?.({ taken: !('heldBy' in taken) });
});
process.send?.({ ready: true });
