// @ts-check

/** @type {import('@belfry/shared/templates/manifest.js').ManifestExport} */
export default ({ z, text, optionalText }) => ({
  version: 1,
  title: 'Tenant update',
  channels: ['email', 'sms'],
  variables: z.object({
    property_title: text(),
    location: optionalText(),
    tenant_name: optionalText(),
    update: optionalText(2000),
  }),
});
