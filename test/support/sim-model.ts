/**
 * What readers may see, worked out without any tier: the plain model of the simulation.
 *
 * It keeps every version of every row that anybody tried to store, with the time from which it had to
 * be visible. A reader must see a version at least as new as all that were acknowledged visible long
 * enough before it began, and only what somebody wrote.
 */
import type { CellStatusName } from '../../src/column.js'
import type { OnStale } from '../../src/declared.js'

/** A version of one row; `cells` are undefined for a tombstone. */
export interface ModelVersion {
  readonly eventTimeUs: bigint
  readonly sequence: bigint
  readonly cells: readonly (string | null)[] | undefined
  readonly issuedAtMs: number
  /** When it was acknowledged as durable and visible; undefined where it never was. */
  readonly visibleAtMs: number | undefined
}

export interface AgeRules {
  readonly ttlUs: bigint
  readonly retentionUs: bigint
  readonly onStale: OnStale
}

/** A reader's view of one row: when it looked, by which clock it judged, and what it saw. */
export interface Seen {
  readonly startMs: number
  readonly endMs: number
  readonly nowUs: bigint
  readonly eventTimeUs: bigint
  readonly cells: readonly SeenCell[]
}

export interface SeenCell {
  readonly status: CellStatusName
  readonly value: string | null
}

/** Versions of one row in their order, the newest last. */
export function inOrder(versions: readonly ModelVersion[]): ModelVersion[] {
  return [...versions].sort(
    (a, b) =>
      Number(a.eventTimeUs > b.eventTimeUs) - Number(a.eventTimeUs < b.eventTimeUs) ||
      Number(a.sequence > b.sequence) - Number(a.sequence < b.sequence),
  )
}

/**
 * True where the reader may have seen this: one of `versions` (in order) that was not older than what
 * had to be visible `stalenessMs` before it began, nor issued after it ended.
 */
export function maySee(
  versions: readonly ModelVersion[],
  seen: Seen,
  rules: AgeRules,
  stalenessMs: number,
): boolean {
  const isRequired = ({ visibleAtMs }: ModelVersion) =>
    visibleAtMs !== undefined && visibleAtMs + stalenessMs <= seen.startMs
  const oldest = versions.findLastIndex(isRequired)
  const candidates: (ModelVersion | undefined)[] = versions
    .slice(Math.max(0, oldest))
    .filter(({ issuedAtMs }) => issuedAtMs <= seen.endMs)
  if (oldest < 0) candidates.push(undefined)
  const text = seenText(seen.eventTimeUs, seen.cells)
  return candidates.some((version) => appearance(version, seen, rules) === text)
}

/** What a reader sees of `version`, as `seenText` writes it. */
function appearance(
  version: ModelVersion | undefined,
  { nowUs, cells }: Seen,
  { ttlUs, retentionUs, onStale }: AgeRules,
): string {
  const ageUs = version === undefined ? 0n : nowUs - version.eventTimeUs
  if (version?.cells === undefined || ageUs > retentionUs) {
    return seenText(
      0n,
      cells.map(() => ({ status: 'notFound', value: null })),
    )
  }
  const shown = version.cells.map((value): SeenCell => {
    if (value === null) return { status: 'nullValue', value }
    if (ageUs <= ttlUs) return { status: 'present', value }
    return { status: 'outsideMaxAge', value: onStale === 'serve' ? value : null }
  })
  return seenText(version.eventTimeUs, shown)
}

function seenText(eventTimeUs: bigint, cells: readonly SeenCell[]): string {
  return [eventTimeUs, ...cells.map(({ status, value }) => `${status}=${value}`)].join(' ')
}
