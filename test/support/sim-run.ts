/**
 * One simulated history: writers, readers and evictions at work on a world, and what was wrong with what
 * they saw.
 */
import { createFrozenClock } from '../../src/clock.js'
import { cellStatus, type FeatureColumn, type WireColumn } from '../../src/column.js'
import {
  maxStalenessMs,
  readTimeoutMsDefault,
  warmReadFloorMs,
  writeTimeoutMs,
} from '../../src/limits.js'
import { deleteEntities } from '../../src/server/delete-path.js'
import { planRead, type ReadPlan } from '../../src/server/plan-read.js'
import type { WriteBatch } from '../../src/server/plan-write.js'
import { type ReadResult, type ReadTools, readFeatures } from '../../src/server/read-path.js'
import { findService, findView, targetOfService } from '../../src/server/read-target.js'
import type { Sequencer } from '../../src/server/sequencer.js'
import { writeBatch } from '../../src/server/write-path.js'
import type { TierRole } from '../../src/tiers/tier-observer.js'
import { pick } from './sim-history.js'
import { inOrder, type ModelVersion, maySee, type Seen, type SeenCell } from './sim-model.js'
import { createWorld, type SimDaemon, type World, type WorldSpec } from './sim-world.js'

const views = ['fast', 'plain', 'slow'] as const
type View = (typeof views)[number]
const keyNames = ['a', 'b', 'c', 'd', 'a key so long that hot keeps only its hash of 16 bytes']

const writerCount = 3
const stepsPerWriter = 14
const readerCount = 3
const stepsPerReader = 20
/** Hot keeps every row longer than any fill under way can be old: that is part of its contract. */
const evictIdleMs = 6000
const triesMax = 1000

interface SimRow {
  readonly key: string
  readonly eventTimeUs: bigint
  readonly mark: bigint
  readonly text: string | null
}

/** A batch or a delete, and what is known of it. */
interface Operation {
  readonly view: View | undefined
  readonly rows: readonly SimRow[]
  readonly issuedAtMs: number
  /** Undefined until it is known. */
  sequence: bigint | undefined
  durableAtMs: number | undefined
  visibleAtMs: number | undefined
  /** True where it can never be stored any more: its rows are older than retention. */
  expired: boolean
}

interface Batch extends Operation {
  readonly message: WriteBatch
}

interface Look {
  readonly view: View
  readonly key: string
  readonly seen: Seen
  /** True where the read may have come out without an answer: warm failed, or the deadline was near. */
  readonly mayFail: boolean
}

interface Run {
  readonly spec: WorldSpec
  readonly world: World
  readonly batches: Batch[]
  readonly deletes: Operation[]
  readonly looks: Look[]
  readonly problems: string[]
}

/** Plays the history of `spec.seed`; resolves with what was wrong, which is nothing in a right program. */
export async function runSimulation(spec: WorldSpec): Promise<readonly string[]> {
  const world = await createWorld(spec)
  const run: Run = { spec, world, batches: [], deletes: [], looks: [], problems: [] }
  await world.clock.run(play(run))
  return run.problems
}

async function play(run: Run): Promise<void> {
  const { world } = run
  const actors = [
    ...Array.from({ length: writerCount }, () => playWriter(run)),
    ...Array.from({ length: readerCount }, () => playReader(run)),
    playEvictions(run),
  ]
  await Promise.all(actors)
  world.heal()
  for (const daemon of world.daemons) await daemon.settled()
  judgeLooks(run)
  await judgeDurable(run)
  await completeAll(run)
  await judgeEnd(run)
}

async function playWriter(run: Run): Promise<void> {
  const { clock, prng, daemons } = run.world
  for (let step = 0; step < stepsPerWriter; step++) {
    await clock.sleep(pauseMs(run))
    const dice = prng.below(8)
    if (dice === 0) await deleteKeys(run, randomRows(run, 1 + prng.below(2)))
    else if (dice < 4 && run.batches.length > 0) {
      await send(run, pick(run.batches, prng), pick(daemons, prng))
    } else await send(run, createBatch(run), pick(daemons, prng))
  }
}

/** Mostly none to speak of; at times long enough for rows to grow stale, seldom to pass retention. */
function pauseMs({ world: { prng } }: Run): number {
  const dice = prng.below(60)
  if (dice === 0) return 700_000
  return dice < 5 ? prng.below(90_000) : prng.below(300)
}

function createBatch(run: Run): Batch {
  const { prng, clock } = run.world
  const view = pick(views, prng)
  const rows = randomRows(run, 1 + prng.below(6))
  const index = run.batches.length
  const isAssigned = prng.below(5) === 0
  const message: WriteBatch = {
    batchId: `batch ${index}`,
    view,
    schemaVersion: 1,
    keys: [
      textColumn(
        'id',
        rows.map(({ key }) => key),
      ),
    ],
    eventTimesUs: BigInt64Array.from(rows, ({ eventTimeUs }) => eventTimeUs),
    features: [
      markColumn(rows.map(({ mark }) => mark)),
      textColumn(
        'text',
        rows.map(({ text }) => text),
      ),
    ],
    sequence: isAssigned ? BigInt(index + 1) : 0n,
    ackTimeoutMs: 0,
  }
  const batch: Batch = { ...freshOperation(clock.nowMs(), view, rows), message }
  run.batches.push(batch)
  return batch
}

function freshOperation(
  issuedAtMs: number,
  view: View | undefined,
  rows: readonly SimRow[],
): Operation {
  const unknown = { sequence: undefined, durableAtMs: undefined, visibleAtMs: undefined }
  return { view, rows, issuedAtMs, ...unknown, expired: false }
}

/** Rows around now, on a coarse grid, so that event times meet. */
function randomRows({ world: { prng, clock } }: Run, rowCount: number): SimRow[] {
  const gridUs = 500_000n
  const nowUs = (clock.nowUs() / gridUs) * gridUs
  return Array.from({ length: rowCount }, () => {
    const mark = BigInt(prng.below(2 ** 31))
    const back = prng.below(10) === 0 ? 60 : prng.below(5)
    const eventTimeUs = nowUs - gridUs * BigInt(back) + (prng.below(20) === 0 ? 30_000_000n : 0n)
    return {
      key: pick(keyNames, prng),
      eventTimeUs,
      mark,
      text: prng.below(6) === 0 ? null : `t${mark}`,
    }
  })
}

/** Sends a batch to a daemon, whether or not it was sent before. */
async function send({ world, problems }: Run, batch: Batch, daemon: SimDaemon): Promise<void> {
  const { clock, snapshot, sequences } = world
  const ack = await writeBatch(daemon.write, snapshot, batch.message, clock.timeout(writeTimeoutMs))
  const { batchId, sequence } = batch.message
  batch.sequence = sequence === 0n ? sequences.get(batchId) : sequence
  if (ack.error === undefined) {
    if (ack.sequence !== batch.sequence) problems.push(`${batchId}: acknowledged ${ack.sequence}`)
    batch.durableAtMs ??= clock.nowMs()
    if (ack.visible) batch.visibleAtMs ??= clock.nowMs()
  } else if (ack.error.code === 'invalid_argument') batch.expired = true
  else if (ack.error.code === 'internal') problems.push(`${batchId}: ${ack.error.message}`)
}

/** Deletes the rows' keys in all views, as of the first row's event time. Never sent twice. */
async function deleteKeys(run: Run, rows: readonly SimRow[]): Promise<void> {
  const { clock, prng, daemons, snapshot } = run.world
  const eventTimeUs = rows[0]?.eventTimeUs ?? 0n
  const deleted = freshOperation(
    clock.nowMs(),
    undefined,
    rows.map((row) => ({ ...row, eventTimeUs })),
  )
  run.deletes.push(deleted)
  const { write } = pick(daemons, prng)
  const sequencer: Sequencer = {
    next() {
      deleted.sequence = write.sequencer.next()
      return deleted.sequence
    },
  }
  const keys = [
    textColumn(
      'id',
      rows.map(({ key }) => key),
    ),
  ]
  const request = { entity: 'thing', keys, eventTimeUs, partial: false }
  const signal = clock.timeout(writeTimeoutMs)
  try {
    for await (const step of deleteEntities({ ...write, sequencer }, snapshot, request, signal)) {
      if (!step.done) continue
      deleted.durableAtMs = clock.nowMs()
      if (step.visible) deleted.visibleAtMs = clock.nowMs()
    }
  } catch (thrown) {
    // A delete that failed may have been stored in part, which the model knows.
    if (!(thrown instanceof Error)) throw thrown
  }
}

async function playReader(run: Run): Promise<void> {
  const { clock, prng, daemons } = run.world
  for (let step = 0; step < stepsPerReader; step++) {
    await clock.sleep(pauseMs(run))
    const keys = keyNames.filter(() => prng.below(2) === 0)
    const isHurried = prng.below(8) === 0
    const timeoutMs = isHurried ? 1 + prng.below(60) : readTimeoutMsDefault
    if (keys.length > 0)
      run.looks.push(...(await look(run, pick(daemons, prng).read, { keys, timeoutMs })))
  }
}

async function playEvictions({ world: { clock, prng, hot } }: Run): Promise<void> {
  for (let step = 0; step < 30; step++) {
    await clock.sleep(prng.below(20_000))
    hot?.evict(prng.next(), evictIdleMs)
  }
}

function planOf({ world: { snapshot } }: Run, keys: readonly string[]): ReadPlan {
  const target = targetOfService(findService(snapshot, 'all'), [])
  return planRead(target, [textColumn('id', keys)], keys.length)
}

/** Reads `keys` in all views; a look for each. */
async function look(
  run: Run,
  tools: ReadTools,
  { keys, timeoutMs }: { readonly keys: readonly string[]; readonly timeoutMs: number },
): Promise<Look[]> {
  const { clock } = run.world
  const startMs = clock.nowMs()
  const nowUs = tools.clock.nowUs()
  let mayFail = false
  const observer = {
    ...tools.tiers.observer,
    tierFailed(role: TierRole) {
      mayFail ||= role === 'warm'
    },
  }
  const watched = { ...tools, tiers: { ...tools.tiers, observer } }
  const deadline = { atMs: clock.monotonicMs() + timeoutMs, signal: clock.timeout(timeoutMs) }
  const result = await readFeatures(watched, planOf(run, keys), deadline)
  const endMs = clock.nowMs()
  mayFail ||= endMs - startMs >= timeoutMs - warmReadFloorMs
  return views.flatMap((view) =>
    keys.map((key, row): Look => {
      const seen = { startMs, endMs, nowUs, ...rowOf(result, view, row) }
      return { view, key, seen, mayFail }
    }),
  )
}

function rowOf(
  { columns, roles }: ReadResult,
  view: View,
  row: number,
): Pick<Seen, 'eventTimeUs' | 'cells'> {
  const cells = ['mark', 'text'].flatMap((feature) => {
    const column = columns.find(({ name }) => name === `${view}.${feature}`)
    return column === undefined ? [] : [cellOf(column, row)]
  })
  const times = roles.find(({ role }) => role === view)?.eventTimesUs
  return { eventTimeUs: times?.[row] ?? 0n, cells }
}

const statusNames = ['present', 'nullValue', 'notFound', 'outsideMaxAge', 'unavailable'] as const

function cellOf({ values, status }: FeatureColumn, row: number): SeenCell {
  const name = statusNames.find((known) => cellStatus[known] === status[row]) ?? 'unavailable'
  if (values.class === 'i64') {
    // A cell without a value holds 0, which no mark is shown as.
    const value = String(values.values[row])
    return { status: name, value: value === '0' ? null : value }
  }
  if (values.class !== 'var') throw new RangeError(`no feature is of class ${values.class}`)
  const start = values.lengths.subarray(0, row).reduce((sum, byteCount) => sum + byteCount, 0)
  const text = Buffer.from(values.data).toString('utf8', start, start + (values.lengths[row] ?? 0))
  return { status: name, value: text === '' ? null : text }
}

/** Every version of a row that anybody tried to store; `ackedAtMs` says since when it must be there. */
function versionsOf(
  run: Run,
  view: View,
  key: string,
  ackedAtMs: (operation: Operation) => number | undefined,
): ModelVersion[] {
  const operations = [...run.batches, ...run.deletes]
  const versions = operations.flatMap((operation): ModelVersion[] => {
    if ((operation.view ?? view) !== view || operation.sequence === undefined) return []
    const { sequence, issuedAtMs } = operation
    const winner = inBatchWinner(operation.rows.filter((row) => row.key === key))
    if (winner === undefined) return []
    const { eventTimeUs, mark, text } = winner
    const cells = operation.view === undefined ? undefined : [String(mark), text]
    return [{ eventTimeUs, sequence, cells, issuedAtMs, visibleAtMs: ackedAtMs(operation) }]
  })
  return inOrder(versions)
}

function inBatchWinner(rows: readonly SimRow[]): SimRow | undefined {
  return rows.reduce<SimRow | undefined>(
    (winner, row) => (winner === undefined || row.eventTimeUs >= winner.eventTimeUs ? row : winner),
    undefined,
  )
}

/** No acknowledged write is hidden longer than its class allows; without faults not at all. */
function judgeLooks(run: Run): void {
  for (const { view, key, seen, mayFail } of run.looks) {
    const rules = findView(run.world.snapshot, view)
    const isCalm = run.spec.faultShare === 0
    const stalenessMs = isCalm ? 0 : maxStalenessMs[rules.latencyClass]
    const isUnavailable = seen.cells.every(({ status }) => status === 'unavailable')
    if (isUnavailable && mayFail) continue
    const versions = versionsOf(run, view, key, ({ visibleAtMs }) => visibleAtMs)
    if (!maySee(versions, seen, rules, stalenessMs))
      report(run, 'hidden', { view, key, seen }, versions)
  }
}

/** Whatever was acknowledged as durable is in warm, whatever became of hot. */
async function judgeDurable(run: Run): Promise<void> {
  await judgeAll(run, run.world.readersOver(undefined), 'lost', ({ durableAtMs }) => durableAtMs)
}

/** Every batch and delete until it is acknowledged as visible. */
async function completeAll(run: Run): Promise<void> {
  const { prng, daemons } = run.world
  for (const batch of run.batches) {
    for (let tries = 0; batch.visibleAtMs === undefined && !batch.expired; tries++) {
      await send(run, batch, pick(daemons, prng))
      if (tries > triesMax)
        return void run.problems.push(`${batch.message.batchId} never completes`)
    }
  }
  for (const deleted of [...run.deletes]) {
    if (deleted.visibleAtMs === undefined) await deleteKeys(run, deleted.rows)
  }
}

/** In the end every layout of tiers gives the newest versions, in the same bytes. */
async function judgeEnd(run: Run): Promise<void> {
  const { daemons, hot, readersOver } = run.world
  // One instant for all: a row that ages between two reads is no difference of layouts.
  const clock = createFrozenClock(run.world.clock.nowUs())
  const acked = ({ visibleAtMs }: Operation) => visibleAtMs
  const answers: string[] = []
  for (const { read } of daemons) {
    answers.push(await judgeAll(run, { ...read, clock }, 'wrong in the end', acked))
  }
  hot?.evict(1, -1)
  for (const tier of [hot, hot, undefined]) {
    const tools = { ...readersOver(tier), clock }
    answers.push(await judgeAll(run, tools, 'wrong in the end', acked))
  }
  if (new Set(answers).size !== 1) run.problems.push('layouts of tiers answer differently')
}

/** Reads everything with time to spare and judges it; the bytes of the answer, in hex. */
async function judgeAll(
  run: Run,
  tools: ReadTools,
  what: string,
  ackedAtMs: (operation: Operation) => number | undefined,
): Promise<string> {
  const looks = await look(run, tools, { keys: keyNames, timeoutMs: readTimeoutMsDefault })
  for (const { view, key, seen } of looks) {
    const versions = versionsOf(run, view, key, ackedAtMs)
    if (!maySee(versions, seen, findView(run.world.snapshot, view), 0)) {
      report(run, what, { view, key, seen }, versions)
    }
  }
  return JSON.stringify(
    looks.map(({ seen: { eventTimeUs, cells } }) => [String(eventTimeUs), cells]),
  )
}

function report(
  { problems }: Run,
  what: string,
  { view, key, seen }: Pick<Look, 'view' | 'key' | 'seen'>,
  versions: readonly ModelVersion[],
): void {
  const text = (value: unknown) =>
    JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? `${inner}` : inner))
  problems.push(`${what}: ${view} ${key}: saw ${text(seen)} of ${versions.map(text).join('\n  ')}`)
}

function textColumn(name: string, texts: readonly (string | null)[]): WireColumn {
  const pieces = texts.map((text) => Buffer.from(text ?? ''))
  const lengths = Buffer.alloc(4 * pieces.length)
  for (const [index, { byteLength }] of pieces.entries())
    lengths.writeUInt32LE(byteLength, 4 * index)
  const status = Uint8Array.from(texts, (text) =>
    text === null ? cellStatus.nullValue : cellStatus.present,
  )
  return { name, values: { class: 'var', data: Buffer.concat(pieces), lengths }, status }
}

function markColumn(marks: readonly bigint[]): WireColumn {
  const bytes = Buffer.from(BigInt64Array.from(marks).buffer)
  return { name: 'mark', values: { class: 'i64', bytes }, status: undefined }
}
