/** A fleet needs few locales, zones and currencies; the bound is against odd ones. */
const KEPT = 1_000;

/** What `store` has for `key`, made when it is first asked for: what Intl makes costs as much as a hundred uses of it. */
export function kept<T>(store: Map<string, T>, key: string, make: () => T): T {
  const known = store.get(key);
  if (known !== undefined || store.has(key)) return known as T;
  if (store.size >= KEPT) store.clear();
  const made = make();
  store.set(key, made);
  return made;
}
