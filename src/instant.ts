/**
 * Instants as users write them: RFC 3339, `2001-06-15T18:00:00Z`, with up to six decimals of a second
 * and `Z` or an offset. Held as int64 microseconds since the Unix epoch.
 */
import { LarderError } from './errors.js'
import { quoteText } from './quoted-text.js'

const pattern =
  /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,6}))?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/

/** Reads an instant. Throws `invalid_argument` where the text is none, or names no real day or time. */
export function parseInstant(text: string): bigint {
  const parts = pattern.exec(text)
  if (parts === null) throw notAnInstant(text)
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map(Number)
  const offsetHours = Number(parts[9] ?? 0)
  const offsetMinutes = Number(parts[10] ?? 0)
  const localMs = Date.parse(`${text.slice(0, 10)}T${text.slice(11, 19)}Z`)
  const local = new Date(localMs)
  // A day that its month lacks rolls over into the next month instead of failing.
  const real =
    local.getUTCFullYear() === year &&
    local.getUTCMonth() + 1 === month &&
    local.getUTCDate() === day &&
    local.getUTCHours() === hour &&
    local.getUTCMinutes() === minute &&
    local.getUTCSeconds() === second &&
    offsetHours < 24 &&
    offsetMinutes < 60
  if (!real) throw notAnInstant(text)
  const offsetMs = (offsetHours * 60 + offsetMinutes) * 60_000 * (parts[8] === '-' ? -1 : 1)
  return BigInt(localMs - offsetMs) * 1000n + BigInt((parts[7] ?? '').padEnd(6, '0'))
}

/** An instant in microseconds as ISO 8601, to the microsecond. */
export function formatInstant(instantUs: bigint): string {
  const microseconds = ((instantUs % 1_000_000n) + 1_000_000n) % 1_000_000n
  const seconds = (instantUs - microseconds) / 1_000_000n
  const date = new Date(Number(seconds) * 1000)
  if (Number.isNaN(date.getTime())) return `${instantUs} us`
  const fraction = microseconds === 0n ? '' : `.${String(microseconds).padStart(6, '0')}`
  return date.toISOString().replace('.000Z', `${fraction}Z`)
}

function notAnInstant(text: string): LarderError {
  return new LarderError(
    'invalid_argument',
    `${quoteText(text)} is not an instant: write it like 2001-06-15T18:00:00Z`,
  )
}
