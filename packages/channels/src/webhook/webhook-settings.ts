import { webhookSecrets } from '@belfry/shared/config/fields.js';
import { z } from 'zod';
import { allowedAddresses } from './allowed-addresses.js';

/** What the webhook provider reads from the environment. */
export const webhookSettings = z.object({
  WEBHOOK_SECRETS: webhookSecrets,
  WEBHOOK_ALLOW_HTTP: z
    .enum(['true', 'false', 'listed'], 'set it to true, false or listed')
    .default('false')
    .meta({
      description:
        'Whether receivers may be at http:// without encryption: true, false, or listed for those of WEBHOOK_ALLOW_ADDRESSES alone.',
    }),
  WEBHOOK_ALLOW_ADDRESSES: allowedAddresses(
    'Receivers inside your own network that may be reached on any port, such as 10.1.2.3, 10.1.0.0/16 or [fd00::1]:8080 (one port).',
  ),
});
