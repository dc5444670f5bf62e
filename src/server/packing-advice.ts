/**
 * Which packing suits a view in a Redis hot tier, and what it saves. Pure.
 *
 * A bucket costs less memory per row; reading one costs the server more. So realtime views are best kept
 * as strings, and standard views in buckets where that saves a good part and rows are small enough for
 * Redis's compact hashes. The figures are estimates: `larder codec VIEW` knows the stored rows.
 */
import type { FeatureView } from '../registry/snapshot.js'
import { placements } from '../tiers/placement.js'
import { redisFootprint } from '../tiers/redis-footprint.js'
import { estimateKeyBytes, estimateRowBytes } from './estimate-row.js'

/** Less is not worth a slower read. */
const savedShareMin = 0.25
/** Longer rows make buckets that Redis takes out of its compact form, or searches slowly. */
const bucketRowBytesMax = 200

/** The advice for a view, in a line; undefined for one that hot does not hold. */
export function packingAdvice(view: FeatureView): string | undefined {
  if (!placements[view.latencyClass].writesHot) return undefined
  const rowBytes = estimateRowBytes(view)
  const keyBytes = estimateKeyBytes(view)
  const footprint = (packing: 'string' | 'bucket') =>
    redisFootprint({ packing, keyBytes, rowBytes, expires: true })
  const bytes = { string: footprint('string'), bucket: footprint('bucket') }
  const savedShare = 1 - bytes.bucket / bytes.string
  const costs =
    `about ${Math.round(bytes.string)} B per entity as string, ` +
    `${Math.round(bytes.bucket)} B as bucket`
  const isSmall = rowBytes <= bucketRowBytesMax && savedShare >= savedShareMin
  const suits = view.latencyClass === 'standard' && isSmall ? 'bucket' : 'string'
  return `view ${view.name}: ${verdict(view, suits, savedShare)} (${costs}${totalText(view, bytes)})`
}

function verdict(view: FeatureView, suits: 'string' | 'bucket', savedShare: number): string {
  const kept = view.packing.kind
  const saves = `${Math.round(savedShare * 100)} % of its memory in hot`
  if (suits === 'bucket') {
    return kept === 'bucket'
      ? `packing bucket suits it: it saves ${saves}`
      : `packing bucket would save ${saves}`
  }
  if (kept === 'bucket') {
    return savedShare > 0
      ? `packing bucket saves ${saves}; string would be read faster`
      : 'packing string would take less memory, and be read faster'
  }
  return 'packing string suits it: it is read fastest'
}

/** What that comes to for all entities, where their number is known. */
function totalText(
  { expectedEntityCount }: FeatureView,
  bytes: { readonly string: number; readonly bucket: number },
): string {
  if (expectedEntityCount === undefined) return ''
  const [asString, asBucket] = [bytes.string, bytes.bucket].map((each) =>
    formatMebibytes(each * expectedEntityCount),
  )
  const entityCount = expectedEntityCount.toLocaleString('en-US')
  return `; ${asString} and ${asBucket} MiB for ${entityCount} entities`
}

/** With a decimal where whole numbers would say little: `0.4`, `95`, `1,907`. */
function formatMebibytes(bytes: number): string {
  const mebibytes = bytes / 2 ** 20
  return mebibytes.toLocaleString('en-US', { maximumFractionDigits: mebibytes < 10 ? 1 : 0 })
}
