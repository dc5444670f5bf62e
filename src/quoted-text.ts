/**
 * Texts from outside as messages show them.
 */

/** Enough to recognise a name or a path by; a message is no place for a whole file. */
const shownCharsMax = 80

/** The text in quotes, with unprintable characters escaped, cut where it is long. */
export function quoteText(text: string): string {
  return JSON.stringify(text.length > shownCharsMax ? `${text.slice(0, shownCharsMax)}…` : text)
}
