/**
 * `larder codec VIEW`: what the values of a view cost in rows and in Redis, and why.
 * `larder codec learn VIEW`: an encoding profile from stored rows, or from files.
 *
 * A learned profile changes no stored row: rows that are written from then on use it.
 */
import type { Command } from 'commander'
import type { LarderClient } from '../client/index.js'
import { LarderError } from '../errors.js'
import type { FeatureView } from '../gen/larder/v1/admin.js'
import { learnSavingShareMin } from '../limits.js'
import { encodeProfile } from '../profile-json.js'
import { betterOf, type JudgedProfiles, judgeProfiles } from './choose-profile.js'
import type { CliIo } from './cli-io.js'
import { costsJson, costsOf, printCosts } from './codec-costs.js'
import { printReport, reportJson, reportOf } from './codec-report.js'
import type { CommandContext, DaemonOptions } from './command-context.js'
import { collect, withDaemonOptions } from './daemon-options.js'
import { withClient } from './find-daemon.js'
import { type SampledRows, sampleFiles } from './load-sample.js'
import { type EventTimeOptions, findTarget, findView } from './load-target.js'
import { scanVersions } from './load-versions.js'
import { planFiles } from './plan-files.js'
import { formatCount, printJson, printLine } from './print.js'
import { openDuckdb } from './source-file.js'
import { sampleView } from './stored-sample.js'

export function addCodecCommand(program: Command, context: CommandContext): void {
  const codec = program.command('codec').description('What rows cost, and why; learn to write them')
  withDaemonOptions(codec.command('show', { isDefault: true }))
    .description("Show what a view's values cost in rows and in Redis (the default: `codec VIEW`)")
    .argument('<view>', 'the feature view')
    .action((view: string, options: DaemonOptions) => showCodec(view, options, context))
  withDaemonOptions(codec.command('learn'))
    .description('Learn an encoding profile: rows written from then on use it')
    .argument('<view>', 'the feature view')
    .option('--input <file>', 'learn from files or globs (default: stored rows)', collect, [])
    .option('--event-time <column>', "the files' event times (default: the view's source's)")
    .option('--now', 'the files have no event times')
    .option('--dry-run', 'register nothing')
    .action((view: string, options: LearnOptions) => learnCodec(view, options, context))
}

async function showCodec(
  viewName: string,
  options: DaemonOptions,
  { io }: CommandContext,
): Promise<void> {
  await withClient(options, io, async (client) => {
    const { view } = findView(await client.registry(io.stop), viewName)
    const sample = await sampleView(client, view, io.stop)
    const judged = judgeProfiles(view, sample)
    const shown = judged.current.profile.id === 0 ? betterOf(judged) : judged.current
    const report = reportOf(view, sample, shown)
    const costs = costsOf(view, judged, sample)
    if (options.json) {
      await printJson(io, {
        view: viewName,
        schema_version: view.schemaVersion,
        packing: view.packing,
        scanned_row_count: sample.scannedRowCount,
        is_whole_view: sample.isWholeView,
        key_bytes: sample.keyBytes,
        ...reportJson(report),
        costs: costsJson(costs),
      })
      return
    }
    const spread = `of the ${formatCount(sample.scannedRowCount, 'row')} looked at`
    await printReport(io, report)
    await printLine(io, `${formatCount(sample.rowCount, 'row')} ${spread}`)
    await printCosts(io, costs)
    await printLine(io, `\n${adviceOf(view, judged)}`)
  })
}

/** What to do about it, in one line. */
function adviceOf(
  { name }: FeatureView,
  { current, learned, isWorthwhile }: JudgedProfiles,
): string {
  if (!isWorthwhile) return 'learning anew would save too little to be worth a layout'
  const saved = Math.round(current.bodyBytes - learned.bodyBytes)
  return `learning would save ${saved} B of each row: \`larder codec learn ${name}\`, or the next large load`
}

interface LearnOptions extends DaemonOptions, EventTimeOptions {
  readonly input: readonly string[]
  readonly dryRun?: boolean
}

async function learnCodec(
  viewName: string,
  options: LearnOptions,
  { io }: CommandContext,
): Promise<void> {
  await withClient(options, io, async (client) => {
    const { view, sample } = await findSample(client, viewName, options, io)
    const judged = judgeProfiles(view, sample)
    const isRegistered = judged.isWorthwhile && options.dryRun !== true
    const layout = isRegistered
      ? await client.registerLayout(
          {
            view: viewName,
            schemaVersion: view.schemaVersion,
            profileJson: JSON.stringify(encodeProfile(judged.learned.profile)),
          },
          io.stop,
        )
      : undefined
    const report = reportOf(view, sample, judged.learned)
    if (options.json) {
      await printJson(io, {
        view: viewName,
        registered: isRegistered,
        registry_version: layout?.registryVersion ?? null,
        profile_id: layout?.profileId ?? null,
        layout_id: layout?.layoutId ?? null,
        current_body_bytes: judged.current.bodyBytes,
        ...reportJson(report),
      })
      return
    }
    await printReport(io, report)
    await printLine(io, outcomeOf(judged, layout?.profileId, options))
  })
}

function outcomeOf(
  { current, isWorthwhile }: JudgedProfiles,
  profileId: number | undefined,
  { dryRun }: LearnOptions,
): string {
  const saving = `${learnSavingShareMin * 100} %`
  const kept = current.profile.id === 0 ? 'rows stay plain' : `profile ${current.profile.id} stays`
  if (!isWorthwhile) return `${kept}: what was learned saves less than ${saving}`
  if (dryRun) return 'dry run: nothing was registered'
  return `registered as profile ${profileId}: rows written from now on use it`
}

interface ViewSample {
  readonly view: FeatureView
  readonly sample: SampledRows
}

async function findSample(
  client: LarderClient,
  viewName: string,
  options: LearnOptions,
  io: CliIo,
): Promise<ViewSample> {
  if (options.input.length > 0) return sampleInput(client, viewName, options, io)
  if (options.eventTime !== undefined || options.now) {
    throw new LarderError('invalid_argument', '--event-time and --now belong to --input')
  }
  const { view } = findView(await client.registry(io.stop), viewName)
  return { view, sample: await sampleView(client, view, io.stop) }
}

async function sampleInput(
  client: LarderClient,
  viewName: string,
  options: LearnOptions,
  io: CliIo,
): Promise<ViewSample> {
  const { target } = await findTarget(client, viewName, options, io)
  const connection = await openDuckdb()
  try {
    const files = { patterns: options.input, config: options.config }
    const plans = await planFiles(connection, target, files, io)
    const { rowCount } = await scanVersions(connection, plans)
    const sample = await sampleFiles(connection, target, plans, rowCount)
    if (sample.rowCount > 0) return { view: target.view, sample }
    const paths = plans.map(({ file }) => file.path).join(', ')
    const problem = `no row of ${paths} is good and within retention: nothing to learn from`
    throw new LarderError('bad_file', problem)
  } finally {
    connection.closeSync()
  }
}
