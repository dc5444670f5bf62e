/**
 * Durations as definitions write them: `36h`, `30d`, `15m`, `10s`, `500ms`, `1d12h`.
 *
 * Whole numbers with a unit each, from the greatest unit to the least, no unit twice. Held as
 * microseconds, like event times.
 */
import { LarderError } from './errors.js'
import { durationUsMax } from './limits.js'
import { quoteText } from './quoted-text.js'

const unitUs = {
  d: 86_400_000_000n,
  h: 3_600_000_000n,
  m: 60_000_000n,
  s: 1_000_000n,
  ms: 1000n,
} as const
const units = ['d', 'h', 'm', 's', 'ms'] as const

const pattern =
  /^(?:(\d{1,15})d)?(?:(\d{1,15})h)?(?:(\d{1,15})m)?(?:(\d{1,15})s)?(?:(\d{1,15})ms)?$/

/** Reads a duration in microseconds. Throws `invalid_argument` where the text is none, is zero, or is
 * over a hundred years. */
export function parseDuration(text: string): bigint {
  const parts = text === '' ? null : pattern.exec(text)
  if (parts === null) {
    throw new LarderError(
      'invalid_argument',
      `${quoteText(text)} is not a duration: write 36h, 30d, 15m, 10s, 500ms or 1d12h`,
    )
  }
  let durationUs = 0n
  for (const [index, unit] of units.entries()) {
    durationUs += BigInt(parts[index + 1] ?? 0) * unitUs[unit]
  }
  if (durationUs === 0n || durationUs > durationUsMax) {
    throw new LarderError('invalid_argument', `${quoteText(text)} is not between 1ms and 36500d`)
  }
  return durationUs
}

/** The shortest text that `parseDuration` reads back. `durationUs` is whole milliseconds. */
export function formatDuration(durationUs: bigint): string {
  let restUs = durationUs
  let text = ''
  for (const unit of units) {
    const count = restUs / unitUs[unit]
    restUs -= count * unitUs[unit]
    if (count > 0n) text += `${count}${unit}`
  }
  return text
}
