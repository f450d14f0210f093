import { startSandbox } from './app.js';
import { sandboxOptions } from './options.js';

const options = async () => sandboxOptions(process.env);
const sandbox = await options()
  .then(startSandbox)
  .catch((error: Error) => {
    process.stderr.write(`sandbox: ${error.message}\n`);
    process.exit(1);
  });
const { httpUrl, smtpUrl } = sandbox;
process.stdout.write(`sandbox: page and providers on ${httpUrl}, mail on ${smtpUrl}\n`);

process.once('SIGTERM', stop);
process.once('SIGINT', stop);
if (process.send !== undefined) {
  // A parent that dies closes the channel: its sandbox goes with it.
  process.once('disconnect', stop);
  process.send({ ready: true, httpUrl, smtpUrl });
}

function stop(): void {
  void sandbox.stop().then(() => process.exit(0));
}
