/**
 * What learning an encoding needs of a daemon: some of a view's rows, and a layout to write later ones in.
 */
import type {
  CompactVersion,
  RegisterLayoutRequest,
  RegisterLayoutResponse,
  SampleRowsResponse,
} from '../gen/larder/v1/admin.js'
import { invalidRequest } from './client-error.js'
import type { StartCall } from './daemon-channels.js'
import { type ResponseColumn, readColumn } from './response-column.js'

export interface SampleRowsOptions {
  readonly view: string
  /** At most so many rows; left out, as many as the daemon gives. */
  readonly rowCountMax?: number
}

export interface SampleResult {
  readonly schemaVersion: number
  readonly rowCount: number
  /** Every feature of the schema version; `notFound` where a row's layout lacks the feature. */
  readonly features: readonly ResponseColumn[]
  readonly eventTimesUs: BigInt64Array
  /** Bytes of each row as it is stored, and of its entity key. */
  readonly rowBytes: readonly number[]
  readonly keyBytes: readonly number[]
  /** Rows of the view that the sample is spread over. */
  readonly scannedRowCount: number
  readonly isWholeView: boolean
}

export interface RegisterLayoutOptions {
  readonly view: string
  readonly schemaVersion: number
  /** Exactly one of a learned profile as JSON text and the id of one that the view has; 0 is plain. */
  readonly profileJson?: string
  readonly profileId?: number
  /** Left out, versions are written in full. */
  readonly version?: CompactVersion
  /** Names the load whose rows will have `version`; goes with it. */
  readonly loadId?: string
}

export function startSampleRows(options: SampleRowsOptions): StartCall<SampleRowsResponse> {
  const request = { view: options.view, rowCountMax: options.rowCountMax ?? 0 }
  return (daemon, metadata, call, done) => daemon.admin.sampleRows(request, metadata, call, done)
}

/** Error `internal` where the answer's columns and numbers do not belong together. */
export function readSample(response: SampleRowsResponse): SampleResult {
  const { schemaVersion, rowBytes, keyBytes, isWholeView } = response
  const rowCount = response.eventTimesUs.length
  return Object.freeze({
    schemaVersion,
    rowCount,
    features: response.features.map((wire) => readColumn(wire, rowCount)),
    eventTimesUs: BigInt64Array.from(response.eventTimesUs),
    rowBytes,
    keyBytes,
    scannedRowCount: Number(response.scannedRowCount),
    isWholeView,
  })
}

export function startRegisterLayout(
  options: RegisterLayoutOptions,
): StartCall<RegisterLayoutResponse> {
  const request: RegisterLayoutRequest = {
    view: options.view,
    schemaVersion: options.schemaVersion,
    profile: profileOf(options),
    version: options.version,
    loadId: options.loadId ?? '',
  }
  return (daemon, metadata, call, done) =>
    daemon.admin.registerLayout(request, metadata, call, done)
}

function profileOf({
  profileJson,
  profileId,
}: RegisterLayoutOptions): RegisterLayoutRequest['profile'] {
  if (profileJson !== undefined && profileId === undefined) {
    return { $case: 'profileJson', value: profileJson }
  }
  if (profileId !== undefined && profileJson === undefined) {
    return { $case: 'profileId', value: profileId }
  }
  throw invalidRequest('registerLayout takes either a profile as JSON or the id of one')
}
