/**
 * How many calls may be under way at once: a call beyond that is refused before any work is done, so
 * that an overload costs the calls that come too many, not all of them.
 */
import { LarderError } from '../errors.js'

/** Counts a call in; the returned function counts it out again. Throws `resource_exhausted`. */
export type Admit = () => () => void

/** Admits up to `callsMax` calls at a time. */
export function createAdmission(callsMax: number): Admit {
  let underWayCount = 0
  return () => {
    if (underWayCount >= callsMax) {
      throw new LarderError(
        'resource_exhausted',
        `${underWayCount} calls are under way, at most ${callsMax} are allowed: try again later`,
      )
    }
    underWayCount++
    let isOver = false
    return () => {
      if (!isOver) underWayCount--
      isOver = true
    }
  }
}
