/**
 * Texts from outside as messages show them.
 */
import { shownTextCharsMax } from './limits.js'

/** The text in quotes, with unprintable characters escaped, cut where it is long. */
export function quoteText(text: string): string {
  return JSON.stringify(
    text.length > shownTextCharsMax ? `${text.slice(0, shownTextCharsMax)}…` : text,
  )
}
