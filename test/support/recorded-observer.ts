/**
 * Observers that write down what they are told.
 */
import type { TierObserver } from '../../src/tiers/tier-observer.js'

export interface RecordedObserver extends TierObserver {
  /** One line per event, without durations. */
  readonly events: string[]
}

export function createRecordedObserver(): RecordedObserver {
  const events: string[] = []
  return {
    events,
    tierRead: (role, { keyCount, rowCount }) =>
      void events.push(`read ${role} ${rowCount}/${keyCount}`),
    tierWritten: (role, { rowCount, storedCount }) =>
      void events.push(`written ${role} ${storedCount}/${rowCount}`),
    tierFailed: (role, error) => void events.push(`failed ${role}: ${error.message}`),
    filled: (outcome, rowCount) => void events.push(`fill ${outcome} ${rowCount}`),
  }
}
