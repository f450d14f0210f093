import { startSandbox } from './app.js';
import { sandboxOptions } from './options.js';

const options = async () => sandboxOptions(process.env);
const sandbox = await options()
  .then(startSandbox)
  .catch((error: Error) => {
    process.stderr.write(`sandbox: ${error.message}\n`);
    process.exit(1);
  });
const { httpUrl, smtpUrl, certificate } = sandbox;
process.stdout.write(`sandbox: page and providers on ${httpUrl}, mail on ${smtpUrl}\n`);

process.on('SIGTERM', stop);
process.on('SIGINT', stop);
if (process.send !== undefined) {
  // A parent that dies closes the channel: its sandbox goes with it.
  process.once('disconnect', stop);
  process.send({ ready: true, httpUrl, smtpUrl, certificate });
}

function stop(): void {
  void sandbox.stop().then(() => process.exit(0));
}
