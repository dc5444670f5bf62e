/**
 * "Did you mean": the known name nearest to a misspelt one.
 */
import { comparedNameCharsMax } from './limits.js'

const distanceMax = 3

/** `: did you mean "ttl"?`, or the empty text where no known name is near enough. */
export function didYouMean(name: string, known: Iterable<string>): string {
  const closest = closestName(name, known)
  return closest === undefined ? '' : `: did you mean "${closest}"?`
}

/** `didYouMean`, or else all that is known. For small sets. */
export function didYouMeanOrKnown(name: string, known: readonly string[]): string {
  return didYouMean(name, known) || `: known are ${known.join(', ')}`
}

/** The known name fewest edits away; undefined where that is more than a third of its letters. */
export function closestName(name: string, known: Iterable<string>): string | undefined {
  let closest: string | undefined
  let closestDistance = Math.min(distanceMax, Math.ceil(name.length / 3)) + 1
  for (const candidate of known) {
    if (Math.max(name.length, candidate.length) > comparedNameCharsMax) continue
    if (Math.abs(name.length - candidate.length) >= closestDistance) continue
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
    if (distance >= closestDistance) continue
    closest = candidate
    closestDistance = distance
  }
  return closest
}

/** Insertions, deletions and replacements that turn `a` into `b`. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const replaced = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1)
      const inserted = (current[column - 1] ?? 0) + 1
      const deleted = (previous[column] ?? 0) + 1
      current.push(Math.min(replaced, inserted, deleted))
    }
    previous = current
  }
  return previous[b.length] ?? 0
}
