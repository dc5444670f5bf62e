/**
 * Learning how a load's event times are written in few bytes: base + unit x n.
 */
import { assert } from '../assert.js'
import type { CompactVersion } from '../version-format.js'
import { greatestCommonDivisor } from './learn-numbers.js'

/** What is known of a load's event times, in microseconds. */
export interface EventTimes {
  readonly minUs: bigint
  readonly maxUs: bigint
  /** Every event time is a whole number of these above `minUs`; 0 where all are equal. */
  readonly stepUs: bigint
}

/** Units that people use: a finer one also fits later rows of the same load. */
const usualUnitsUs = [1n, 1000n, 1_000_000n, 60_000_000n, 3_600_000_000n, 86_400_000_000n]
const eventBytesMax = 6
/** Event times of compact versions are exact in a float64. */
const eventTimeUsMax = 2n ** 53n - 1n

/** Of at least one event time. */
export function measureEventTimes(eventTimesUs: BigInt64Array): EventTimes {
  const [first] = eventTimesUs
  assert(first !== undefined, 'there is an event time')
  const minUs = eventTimesUs.reduce((least, timeUs) => (timeUs < least ? timeUs : least), first)
  const maxUs = eventTimesUs.reduce((most, timeUs) => (timeUs > most ? timeUs : most), first)
  const stepUs = eventTimesUs.reduce(
    (step, timeUs) => greatestCommonDivisor(step, timeUs - minUs),
    0n,
  )
  return { minUs, maxUs, stepUs }
}

/**
 * The version format of the fewest bytes that holds all event times exactly, of equal ones that with the
 * finest unit. Undefined where none does: then versions are written in full.
 */
export function learnVersion(times: EventTimes): Omit<CompactVersion, 'sequence'> | undefined {
  const { minUs, maxUs, stepUs } = times
  const units = [...usualUnitsUs, stepUs].filter((unitUs) => unitUs > 0n && stepUs % unitUs === 0n)
  const formats = units.map((eventUnitUs) => ({
    eventBaseUs: minUs,
    eventUnitUs,
    eventBytes: bytesOf((maxUs - minUs) / eventUnitUs),
  }))
  return formats
    .filter(isWithinBounds)
    .sort((a, b) => a.eventBytes - b.eventBytes || (a.eventUnitUs < b.eventUnitUs ? -1 : 1))[0]
}

function bytesOf(value: bigint): number {
  return value === 0n ? 0 : Math.ceil(value.toString(2).length / 8)
}

function isWithinBounds(format: Omit<CompactVersion, 'sequence'>): boolean {
  const { eventBaseUs, eventUnitUs, eventBytes } = format
  const last = eventBaseUs + eventUnitUs * (256n ** BigInt(eventBytes) - 1n)
  const isExact = eventBaseUs >= -eventTimeUsMax && last <= eventTimeUsMax
  return eventBytes <= eventBytesMax && isExact
}
