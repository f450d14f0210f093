/** True if `text` holds a C0 or C1 control character, or a Unicode line break: any of them could start a new header. */
export function hasControl(text: string): boolean {
  return /[\p{Cc}\u2028\u2029]/u.test(text);
}
