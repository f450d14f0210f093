import { ensure } from './ensure.mjs';

await ensure();
// In this process: a signal to npm's child is a signal to the supervisor.
await import('../apps/local/bundle/main.js');
