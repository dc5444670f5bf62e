/**
 * What a Redis's listpack limits mean for the views that are packed in buckets. Pure.
 *
 * Looked at when a daemon starts and whenever it is asked for its status: with limits too low a bucket
 * takes more memory than the keys that it was to save.
 */
import { rowsPerBucketTarget } from '../limits.js'
import type { FeatureView } from '../registry/snapshot.js'
import type { ListpackLimits } from '../tiers/listpack-limits.js'
import { placements } from '../tiers/placement.js'
import { estimateRowBytes } from './estimate-row.js'

/** Few buckets have so many rows more than the average. */
const rowsPerBucketUsualMax = rowsPerBucketTarget * 1.5
/** Few rows are so much longer than the average. */
const rowBytesUsualRatio = 1.25

/** Why buckets of `views` save less than they could; `limits` undefined where hot is no Redis. */
export function bucketFindings(
  views: Iterable<FeatureView>,
  limits: ListpackLimits | 'unknown' | undefined,
): string[] {
  const bucketViews = [...views].filter(
    ({ packing, latencyClass }) => packing.kind === 'bucket' && placements[latencyClass].writesHot,
  )
  if (bucketViews.length === 0 || limits === undefined) return []
  if (limits === 'unknown') {
    return [
      'the listpack limits could not be read (CONFIG GET is refused): see that ' +
        'hash-max-listpack-value is above the longest rows of views with packing bucket, ' +
        `and hash-max-listpack-entries at least ${rowsPerBucketUsualMax}`,
    ]
  }
  const findings: string[] = []
  if (limits.entriesMax < rowsPerBucketUsualMax) {
    findings.push(
      `hash-max-listpack-entries is ${limits.entriesMax}, and buckets hold about ` +
        `${rowsPerBucketTarget} rows: they become hash tables, which are larger than keys of ` +
        `their own; set it to at least ${rowsPerBucketUsualMax}`,
    )
  }
  for (const view of bucketViews) {
    const rowBytes = estimateRowBytes(view)
    if (rowBytes * rowBytesUsualRatio <= limits.valueBytesMax) continue
    findings.push(
      `hash-max-listpack-value is ${limits.valueBytesMax} bytes, and rows of view ${view.name} ` +
        `take about ${rowBytes}: one longer row makes its bucket a hash table; set it to 1024, ` +
        'or give the view packing: string',
    )
  }
  return findings
}
