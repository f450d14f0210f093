// @ts-check

/** @type {import('@belfry/shared/templates/manifest.js').ManifestExport} */
export default ({ z }) => ({
  version: 1,
  title: 'Alert',
  channels: [],
  variables: z.object({
    /** `critical`, `warning` or `info`. */
    level: z.string(),
    type: z.string(),
    severity: z.string(),
    message: z.string(),
    source: z.string().nullish(),
    affected_systems: z.array(z.string()).default([]),
    /** What an answer by text message names it by. */
    code: z.string(),
    /** 0 when it was opened, then the step of its escalation. */
    step: z.number().default(0),
    /** Where the person acknowledges it; absent where no address of the installation is known. */
    acknowledge_url: z.string().optional(),
    /** True where an answer by text message is understood. */
    answers: z.boolean().default(false),
  }),
});
