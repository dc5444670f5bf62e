/**
 * What `larder doctor` can see without a daemon: this machine, and the project's files.
 */
import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { LarderError } from '../errors.js'
import { loadAddon } from '../native.js'
import { ModelRepository, type ModelVersion } from '../predict/model-repository.js'
import { parseDefinitions } from '../registry/parse-definitions.js'
import type { Config } from '../server/config.js'
import type { CliIo } from './cli-io.js'
import { attempt, type Finding, ok, problem, warning } from './finding.js'
import { formatCount } from './print.js'
import { findConfigPath, readProject } from './project.js'
import { readDefinitions } from './read-definitions.js'

const nodeMajorMin = 20
const nodeMinorMin = 19

/** Node and the addon. */
export async function checkMachine(): Promise<Finding[]> {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const isOld = major < nodeMajorMin || (major === nodeMajorMin && minor < nodeMinorMin)
  const needed = `${nodeMajorMin}.${nodeMinorMin}`
  const node = isOld
    ? problem(
        'node',
        `${process.version} is older than ${needed}`,
        `Install Node ${needed} or newer.`,
      )
    : ok('node', process.version)
  const addon = await attempt(
    'addon',
    async () => {
      loadAddon()
      return [ok('addon', 'loads')]
    },
    'Run `npm run build`.',
  )
  return [node, ...addon]
}

/** larder.yaml and the folders it names. */
export async function checkProject(option: string | undefined, io: CliIo): Promise<Finding[]> {
  const configPath = findConfigPath(option, io)
  if (configPath === undefined) {
    return [
      warning(
        'larder.yaml',
        `there is none in ${io.cwd}: definitions, models and data were not looked at`,
        'Name one with --config or LARDER_CONFIG.',
      ),
    ]
  }
  return attempt('larder.yaml', async () => {
    const config = readProject(option, io)
    return [
      ok('larder.yaml', configPath),
      ...(await attempt('definitions', () => checkDefinitions(config, io))),
      ...(await attempt('models', () => checkModels(config, io))),
      await checkDataFolder(config.dataFolder),
    ]
  })
}

async function checkDefinitions({ featuresFolder }: Config, io: CliIo): Promise<Finding[]> {
  const files = await readDefinitions(featuresFolder, io.cwd, io.stop)
  const { entities, views, services } = parseDefinitions(files)
  const counts = [
    formatCount(files.length, 'file'),
    formatCount(entities.length, 'entity', 'entities'),
    formatCount(views.length, 'view'),
    formatCount(services.length, 'service'),
  ]
  return [ok('definitions', counts.join(', '))]
}

async function checkModels(config: Config, { clock, stop }: CliIo): Promise<Finding[]> {
  const { modelsFolder } = config
  const folder = await stat(modelsFolder).catch(() => undefined)
  if (folder === undefined) {
    return [warning('models', `there is no folder ${modelsFolder}: nothing can be predicted`)]
  }
  const { kernel } = config.trees
  // Nothing is served from here, so that nobody has to wait until a file is quiet.
  const repository = new ModelRepository({ folder: modelsFolder, clock, kernel, quietMs: 0 })
  try {
    await repository.load(stop)
    return repository.list().map((entry) => describeModel(entry, modelsFolder))
  } finally {
    await repository.close()
  }
}

function describeModel(entry: ModelVersion, modelsFolder: string): Finding {
  const { name, version, model, problem: reason, vectorCount } = entry
  const subject = `model ${name}@${version}`
  if (model === undefined || reason !== undefined) {
    const remedy = `Correct it in ${modelsFolder}: the daemon takes it up by itself.`
    return problem(subject, reason ?? 'not loaded', remedy)
  }
  const size = model.treeCount > 0 ? formatCount(model.treeCount, 'tree') : model.kind
  const vectors = vectorCount > 0 ? `, ${formatCount(vectorCount, 'test vector')} passed` : ''
  return ok(subject, `${size}${vectors}`)
}

/** Writable, or not there yet and its parent is. */
async function checkDataFolder(dataFolder: string): Promise<Finding> {
  for (let folder = dataFolder; ; folder = dirname(folder)) {
    try {
      await access(folder, constants.W_OK)
      return ok('data folder', folder === dataFolder ? folder : `${dataFolder}, not made yet`)
    } catch (error) {
      const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
      if (isMissing && dirname(folder) !== folder) continue
      const reason = LarderError.from(error).message
      return problem('data folder', `${dataFolder}: ${reason}`, 'Make it writable for this user.')
    }
  }
}
