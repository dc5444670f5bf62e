/**
 * What `larder doctor` asks a running daemon: itself, its tiers, its registry and its models.
 */
import type { LarderClient } from '../client/index.js'
import { LarderError } from '../errors.js'
import type { GetStatusResponse, Model, TierStatus } from '../gen/larder/v1/admin.js'
import { formatInstant } from '../instant.js'
import type { DefinitionFile } from '../registry/definitions.js'
import { parseDefinitions } from '../registry/parse-definitions.js'
import type { CliIo } from './cli-io.js'
import type { DaemonOptions } from './command-context.js'
import { withClient } from './find-daemon.js'
import { attempt, type Finding, ok, problem, warning } from './finding.js'
import { formatCount } from './print.js'
import { findConfigPath, readProject } from './project.js'
import { readDefinitions } from './read-definitions.js'

export function checkDaemon(options: DaemonOptions, io: CliIo): Promise<Finding[]> {
  return attempt(
    'daemon',
    () =>
      withClient(options, io, async (client) => {
        const status = await client.status(io.stop)
        const findings = [...daemonFindings(status), ...status.tiers.flatMap(tierFindings)]
        if (!status.ready) return findings
        return [
          ...findings,
          ...(await checkRegistry(client, options, io)),
          ...(await checkModels(client, io)),
        ]
      }),
    'Start one with `larder serve`, or name one with --address HOST:PORT or LARDER_ADDRESS.',
  )
}

function daemonFindings(status: GetStatusResponse): Finding[] {
  const { version, nodeVersion, listenAddresses, frozenClockUs, notReadyReason } = status
  const state = `version ${version} on Node ${nodeVersion}, ${listenAddresses.join(', ')}`
  const findings = [
    status.ready
      ? ok('daemon', state)
      : problem('daemon', `${state}: not ready: ${notReadyReason}`, 'See the tiers below.'),
  ]
  if (status.exposed) {
    findings.push(
      warning(
        'exposure',
        'other machines can reach it, without TLS or tokens',
        'Listen on 127.0.0.1, or keep the port behind a firewall.',
      ),
    )
  }
  if (frozenClockUs !== 0n) {
    findings.push(
      warning(
        'clock',
        `stands at ${formatInstant(frozenClockUs)}: freshness is judged as of then`,
        'Right for a replay; otherwise remove `clock` from larder.yaml.',
      ),
    )
  }
  return [...findings, ...status.findings.map((text) => warning('daemon', text))]
}

function tierFindings(tier: TierStatus): Finding[] {
  const subject = `${tier.role} tier`
  const state = [tier.url, tier.serverVersion].filter((text) => text !== '').join(', ')
  if (!tier.reachable) {
    // A tier's own errors name its URL.
    const reason = tier.problem.startsWith(tier.url) ? tier.problem : `${state}: ${tier.problem}`
    return [problem(subject, reason, 'Start it; the daemon reconnects by itself.')]
  }
  const rows = tier.rowCount < 0n ? '' : `, ${formatCount(tier.rowCount, 'row')}`
  const bytes = tier.storedBytes < 0n ? '' : `, ${formatCount(tier.storedBytes, 'byte')}`
  return [
    ok(subject, `${state}${rows}${bytes}`),
    ...tier.findings.map((text) => warning(subject, text)),
  ]
}

/** Do the definitions in the folder differ from what is applied? */
async function checkRegistry(
  client: LarderClient,
  options: DaemonOptions,
  io: CliIo,
): Promise<Finding[]> {
  if (findConfigPath(options.config, io) === undefined) return []
  return attempt('registry', async () => {
    const { featuresFolder } = readProject(options.config, io)
    const files = await readDefinitions(featuresFolder, io.cwd, io.stop)
    if (!areDefinitions(files)) return []
    const { changes, registryVersion } = await client.plan({ files }, io.stop)
    if (changes.length === 0) {
      return [ok('registry', `version ${registryVersion}, the same as ${featuresFolder}`)]
    }
    return [
      warning(
        'registry',
        `version ${registryVersion} lacks ${formatCount(changes.length, 'change')} of ${featuresFolder}`,
        'Look at them with `larder plan`, apply them with `larder apply`.',
      ),
    ]
  })
}

/** Wrong definitions are told by the project's own check: once is enough. */
function areDefinitions(files: readonly DefinitionFile[]): boolean {
  try {
    parseDefinitions(files)
    return true
  } catch (thrown) {
    if (thrown instanceof LarderError && thrown.code === 'bad_definitions') return false
    throw thrown
  }
}

async function checkModels(client: LarderClient, io: CliIo): Promise<Finding[]> {
  const { models } = await client.models(io.stop)
  return models.flatMap(modelFindings)
}

function modelFindings(model: Model): Finding[] {
  const subject = `served model ${model.name}@${model.version}`
  const warnings = model.warnings.map((text) => warning(subject, text))
  const labels = model.labels.length === 0 ? '' : ` (${model.labels.join(', ')})`
  return model.ready
    ? [ok(subject, `ready${labels}`), ...warnings]
    : [problem(subject, model.state, 'Correct its files: the daemon takes them up by itself.')]
}
