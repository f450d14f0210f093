// @ts-check

/** @type {import('@belfry/shared/templates/manifest.js').ManifestExport} */
export default ({ z, text, optionalText, amount, currency }) => ({
  version: 1,
  title: 'Payment failed',
  channels: ['email', 'sms'],
  variables: z.object({
    property_title: text(),
    location: optionalText(),
    tenant_name: optionalText(),
    amount: amount(),
    currency: currency(),
  }),
});
