/**
 * What a load teaches about its rows: an encoding profile, and what their versions have in common.
 *
 * Both become a layout of the view before the first row is sent, and the load's batches then carry the
 * write sequence that the layout was registered with. A load is never worse off for it: where the layout
 * cannot be registered, that is told and the rows are written as the view has them.
 */
import type { DuckDBConnection } from '@duckdb/node-api'
import { type LarderClient, LarderClientError } from '../client/index.js'
import { learnVersion } from '../codec/learn-version.js'
import type { RegisterLayoutResponse } from '../gen/larder/v1/admin.js'
import { learnRowsMin } from '../limits.js'
import { encodeProfile } from '../profile-json.js'
import { betterOf, type JudgedProfile, judgeProfiles } from './choose-profile.js'
import type { CliIo } from './cli-io.js'
import type { JsonInput } from './json-text.js'
import { loadIdOf } from './load-batch.js'
import type { FilePlan, LoadTarget } from './load-plan.js'
import { sampleFiles } from './load-sample.js'
import { measureFiles, scanVersions } from './load-versions.js'
import { colorsOf, formatCount } from './print.js'
import { fullVersionBytes, rowBytesOf } from './row-bytes.js'

/** How the rows of a load are written. */
export interface LoadEncoding {
  readonly profileId: number
  /** Was it learned from this load? */
  readonly isNew: boolean
  readonly layoutId: number
  /** For the batches to carry; undefined where each has one of its own. */
  readonly sequence: bigint | undefined
  /** Bytes of a row on average, and of the same row written plain. */
  readonly rowBytes: number
  readonly plainRowBytes: number
  readonly sampleRowCount: number
  /** Rows that name an entity and an event time that another row names too. */
  readonly repeatedRowCount: number
}

export interface LoadFiles {
  readonly client: LarderClient
  readonly connection: DuckDBConnection
  readonly target: LoadTarget
  readonly plans: readonly FilePlan[]
}

/** Undefined where there is too little to learn from, or the daemon cannot take what was learned. */
export async function learnEncoding(
  files: LoadFiles,
  io: CliIo,
): Promise<LoadEncoding | undefined> {
  const { connection, target, plans } = files
  const { rowCount, repeatedCount, range } = await scanVersions(connection, plans)
  if (range === undefined || rowCount < learnRowsMin) return undefined
  io.stop.throwIfAborted()
  const sample = await sampleFiles(connection, target, plans, rowCount)
  io.stop.throwIfAborted()
  if (sample.rowCount === 0) return undefined
  const version =
    repeatedCount > 0
      ? undefined
      : learnVersion(await measureFiles(connection, plans, range, sample.eventTimesUs))
  const judged = judgeProfiles(target.view, sample)
  const chosen = betterOf(judged)
  const layout = await registerOrTell(files, { chosen, isNew: judged.isWorthwhile, version }, io)
  if (layout === undefined) return undefined
  const { layoutId } = layout
  const versionBytes = version?.eventBytes ?? fullVersionBytes
  return {
    profileId: layout.profileId,
    isNew: judged.isWorthwhile,
    layoutId,
    sequence: version === undefined ? undefined : layout.sequence,
    rowBytes: rowBytesOf(chosen, { layoutId, versionBytes }),
    plainRowBytes: rowBytesOf(judged.plain, { layoutId, versionBytes: fullVersionBytes }),
    sampleRowCount: sample.rowCount,
    repeatedRowCount: repeatedCount,
  }
}

interface LearnedLayout {
  readonly chosen: JudgedProfile
  readonly isNew: boolean
  readonly version: ReturnType<typeof learnVersion>
}

async function registerOrTell(
  { client, target, plans }: LoadFiles,
  { chosen, isNew, version }: LearnedLayout,
  io: CliIo,
): Promise<RegisterLayoutResponse | undefined> {
  const { view } = target
  const profile = isNew
    ? { profileJson: JSON.stringify(encodeProfile(chosen.profile)) }
    : { profileId: chosen.profile.id }
  const load = version === undefined ? {} : { version, loadId: loadIdOf(target, plans) }
  const request = { view: view.name, schemaVersion: view.schemaVersion, ...profile, ...load }
  try {
    return await client.registerLayout(request, io.stop)
  } catch (error) {
    if (!(error instanceof LarderClientError) || !passableCodes.has(error.code)) throw error
    const note = colorsOf(io, io.stderr).yellow('note:')
    await io.stderr.write(`${note} rows are written as the view has them now: ${reasonOf(error)}\n`)
    return undefined
  }
}

/** An older daemon, no room for another layout, a profile over a bound: the load does without. */
const passableCodes: ReadonlySet<string> = new Set([
  'unimplemented',
  'resource_exhausted',
  'invalid_argument',
])

function reasonOf(error: LarderClientError): string {
  return error.code === 'unimplemented'
    ? 'the daemon is older than this client and has no layouts to learn'
    : error.message
}

/** `encoding: profile 1, 86 B per row (plain 131)`. */
export function encodingText(encoding: LoadEncoding): string {
  const { profileId, isNew, rowBytes, plainRowBytes, sampleRowCount, repeatedRowCount } = encoding
  const profile = profileId === 0 ? 'plain values' : `profile ${profileId}`
  const learned = isNew ? `, learned from ${formatCount(sampleRowCount, 'row')}` : ''
  const repeated =
    repeatedRowCount > 0
      ? `; versions in full: ${formatCount(repeatedRowCount, 'row repeats', 'rows repeat')} an entity and event time`
      : ''
  const bytes = `${Math.round(rowBytes)} B per row (plain ${Math.round(plainRowBytes)})`
  return `encoding: ${profile}, ${bytes}${learned}${repeated}`
}

export function encodingJson(encoding: LoadEncoding): JsonInput {
  return {
    profile_id: encoding.profileId,
    is_new: encoding.isNew,
    layout_id: encoding.layoutId,
    sequence: encoding.sequence ?? null,
    row_bytes: encoding.rowBytes,
    plain_row_bytes: encoding.plainRowBytes,
    sample_row_count: encoding.sampleRowCount,
    repeated_row_count: encoding.repeatedRowCount,
  }
}
