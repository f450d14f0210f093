/** When a person wants to be left alone, by the clock on their wall: `22:00` to `07:00` goes over midnight. */
export interface QuietHours {
  /** `HH:MM`, the first minute of quiet. */
  readonly from: string;
  /** `HH:MM`, the first minute after it. */
  readonly to: string;
}
