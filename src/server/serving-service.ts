/**
 * `larder.v1.ServingService`: message -> path -> message.
 */

import { assert } from '../assert.js'
import { applyDefault } from '../codec/feature-matrix.js'
import { cellStatus } from '../column.js'
import { LarderError } from '../errors.js'
import type { Column } from '../gen/larder/v1/column.js'
import type {
  GetFeaturesRequest,
  GetFeaturesResponse,
  PredictRequest,
  PredictResponse,
  RowOrigin,
  ServingServiceServer,
} from '../gen/larder/v1/serving.js'
import { replyValuesMax } from '../limits.js'
import type { Snapshot } from '../registry/snapshot.js'
import type { FetchDeadline } from '../tiers/fetch-rows.js'
import { type CallFrame, unary } from './call-handlers.js'
import type { DaemonState } from './daemon-state.js'
import { bytesOf, formatColumn, parseColumns } from './messages.js'
import { countRows, planRead, type ReadPlan, type ReadTarget } from './plan-read.js'
import { bindModels, planPredict } from './predict-path.js'
import { formatPredictions } from './prediction-messages.js'
import { type ReadObserver, type ReadResult, type RoleRows, readFeatures } from './read-path.js'
import {
  assertKeysOf,
  findService,
  findView,
  targetOfService,
  targetOfView,
} from './read-target.js'
import { scoreModels } from './score-models.js'

export interface ServingTools extends CallFrame {
  /** Throws `unavailable` while the daemon is not ready. */
  readonly state: () => DaemonState
  readonly readObserver: ReadObserver
  readonly requestRowsMax: number
}

export function createServingService(tools: ServingTools): ServingServiceServer {
  return {
    getFeatures: unary(tools, 'GetFeatures', (request, deadline) =>
      getFeatures(tools, request, deadline),
    ),
    predict: unary(tools, 'Predict', (request, deadline) =>
      tools.state().models.whileInUse(() => predict(tools, request, deadline)),
    ),
  }
}

async function getFeatures(
  tools: ServingTools,
  request: GetFeaturesRequest,
  deadline: FetchDeadline,
): Promise<GetFeaturesResponse> {
  const keys = parseColumns(request.keys, 'key column')
  const rowCount = countRows(keys, tools.requestRowsMax)
  tools.metrics.rowsRequested('GetFeatures', rowCount)
  const { planned, read, snapshot } = await readCurrent(tools, deadline, (current) => {
    const target = targetOf(current, request)
    assertKeysOf(target, keys)
    assertReplyBounded(rowCount, target)
    return { plan: planRead(target, keys, rowCount) }
  })
  assert(read !== undefined, 'a service or view always has something to read')
  if (request.failOnUnavailable) assertAvailable(read)
  return {
    rowCount,
    columns: formatFeatures(planned.plan, read, request.applyDefaults),
    rows: request.includeRows ? read.roles.map(formatRows) : [],
    registryVersion: BigInt(snapshot.version),
  }
}

async function predict(
  tools: ServingTools,
  request: PredictRequest,
  deadline: FetchDeadline,
): Promise<PredictResponse> {
  const keys = parseColumns(request.keys, 'key column')
  const features = parseColumns(request.features, 'feature column')
  const { models } = tools.state()
  const { raw, explain, contributions, keepGoing: keepsGoing } = request
  const input = {
    keys,
    features,
    rowsMax: tools.requestRowsMax,
    raw,
    explain,
    contributions,
    keepsGoing,
  }
  const planCurrent = (snapshot: Snapshot) => {
    const bind = (reference: string) => models.bind(reference, snapshot)
    const predictPlan = planPredict(bindModels(request.models, { bind, keepsGoing }), input)
    return { predictPlan, plan: predictPlan.read }
  }
  const { planned, read, snapshot } = await readCurrent(tools, deadline, planCurrent)
  const { predictPlan } = planned
  tools.metrics.rowsRequested('Predict', predictPlan.rowCount)
  if (request.failOnUnavailable && read !== undefined) assertAvailable(read)
  const { signal } = deadline
  const options = { raw, explain, contributions, keepsGoing, signal }
  const outcomes = await scoreModels(predictPlan, read, options)
  for (const outcome of outcomes) {
    const { name } = outcome.model.entry
    if (!('error' in outcome)) tools.metrics.defaultsUsed(name, outcome.defaults)
    else if (outcome.error.code === 'internal') {
      const { cause, message } = outcome.error
      tools.log.error({ rpc: 'Predict', model: name, error: cause ?? outcome.error }, message)
    }
  }
  return {
    rowCount: predictPlan.rowCount,
    predictions: formatPredictions(predictPlan, outcomes),
    registryVersion: BigInt(snapshot.version),
  }
}

/**
 * Plans against the current snapshot and reads. A row whose layout the snapshot does not know may have
 * been written by a daemon that is ahead: the registry is reloaded once, and the request starts over.
 */
async function readCurrent<Planned extends { readonly plan: ReadPlan | undefined }>(
  tools: ServingTools,
  deadline: FetchDeadline,
  plan: (snapshot: Snapshot) => Planned,
): Promise<CurrentRead<Planned>> {
  const { registry } = tools.state()
  const first = registry.current()
  let snapshot = first
  let planned = plan(snapshot)
  let read = await readPlanned(tools, planned.plan, deadline)
  if (read !== undefined && read.unknownLayouts.length > 0) {
    await registry.refresh(deadline.signal)
    snapshot = registry.current()
    if (snapshot !== first) {
      planned = plan(snapshot)
      read = await readPlanned(tools, planned.plan, deadline)
    }
  }
  for (const { view, key, layoutId } of read?.unknownLayouts ?? []) {
    tools.readObserver.corruptRow(view, key, `its layout ${layoutId} is not registered`)
  }
  return { planned, read, snapshot }
}

interface CurrentRead<Planned> {
  readonly planned: Planned
  /** Undefined where the plan had nothing to read. */
  readonly read: ReadResult | undefined
  readonly snapshot: Snapshot
}

async function readPlanned(
  tools: ServingTools,
  plan: ReadPlan | undefined,
  deadline: FetchDeadline,
): Promise<ReadResult | undefined> {
  if (plan === undefined) return undefined
  const { fetchTiers, judgingClock } = tools.state()
  const readTools = { tiers: fetchTiers, clock: judgingClock, observer: tools.readObserver }
  return await readFeatures(readTools, plan, deadline)
}

function targetOf(snapshot: Snapshot, request: GetFeaturesRequest): ReadTarget {
  switch (request.target?.$case) {
    case 'service':
      return targetOfService(findService(snapshot, request.target.value), request.features)
    case 'view':
      return targetOfView(findView(snapshot, request.target.value), request.features)
    case undefined:
      throw new LarderError('invalid_argument', 'the request names neither a service nor a view')
  }
}

function assertReplyBounded(rowCount: number, target: ReadTarget): void {
  const valueCount = rowCount * target.features.length
  if (valueCount <= replyValuesMax) return
  throw new LarderError(
    'resource_exhausted',
    `${rowCount} rows of ${target.features.length} features are ${valueCount} values, ` +
      `at most ${replyValuesMax} are allowed in a reply: ask for fewer rows or features`,
  )
}

function assertAvailable(read: ReadResult): void {
  const column = read.columns.find(({ status }) => status.includes(cellStatus.unavailable))
  if (column === undefined) return
  const row = column.status.indexOf(cellStatus.unavailable)
  throw new LarderError('unavailable', `feature '${column.name}', row ${row}, is unavailable now`)
}

const everyStatus: readonly number[] = Object.values(cellStatus)

/** The reply's columns, and which of their cells carry a value. */
function formatFeatures(plan: ReadPlan, read: ReadResult, applyDefaults: boolean): Column[] {
  return read.columns.map((column, index) => {
    const wanted = plan.features[index]
    const view = plan.roles.find((role) => role.role === wanted?.role)?.view
    const { defaultValue } = wanted?.feature ?? {}
    const stored: number[] = [cellStatus.present]
    if (view?.onStale === 'serve') stored.push(cellStatus.outsideMaxAge)
    if (!applyDefaults || defaultValue === undefined) return formatColumn(column, stored)
    const others = everyStatus.filter((status) => !stored.includes(status))
    return formatColumn(applyDefault(column, defaultValue, others), everyStatus)
  })
}

function formatRows({ role, view, eventTimesUs, tiers }: RoleRows): RowOrigin {
  return { role, view, eventTimes: bytesOf(eventTimesUs), tiers: bytesOf(tiers) }
}
