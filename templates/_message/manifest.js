// @ts-check

/** @type {import('@belfry/shared/templates/manifest.js').ManifestExport} */
export default ({ z, optionalText }) => ({
  version: 1,
  title: 'Message',
  channels: [],
  variables: z.object({
    title: optionalText(Number.POSITIVE_INFINITY),
    message: z.string(),
  }),
});
