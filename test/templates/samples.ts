/** A context as a rental service sends it, for each event that ships. */
export const SAMPLES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  payment_success: {
    property_title: 'Sunny two-bedroom flat',
    location: 'Bole, Addis Ababa',
    tenant_name: 'Abebe Kebede',
    amount: 12500,
    currency: 'ETB',
  },
  payment_failed: {
    property_title: 'Sunny two-bedroom flat',
    location: 'Bole, Addis Ababa',
    tenant_name: 'Abebe Kebede',
    amount: 12500.5,
  },
  listing_approved: { property_title: 'Sunny two-bedroom flat', location: 'Bole, Addis Ababa' },
  tenant_update: {
    property_title: 'Sunny two-bedroom flat',
    location: 'Bole, Addis Ababa',
    tenant_name: 'Abebe Kebede',
    update: 'The lease was renewed until June 2027.\nThe rent stays the same.',
  },
};

/** The locales that ship. */
export const LOCALES = ['en', 'am', 'om'] as const;

/** 31 December, 22:30 in London; already the next year in Addis Ababa. */
export const AT = new Date('2026-12-31T22:30:00Z');
