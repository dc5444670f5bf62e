/**
 * The configuration of a daemon, read once into a frozen value: flags beat `LARDER_*` variables, which
 * beat larder.yaml, and what none of them sets has its default.
 *
 * Everything given is checked, whether or not something else beats it, and all problems are told at
 * once. Relative paths are relative to larder.yaml's folder, whoever gives them.
 */
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import { didYouMeanOrKnown } from '../closest-name.js'
import { LarderError } from '../errors.js'
import { configBytesMax } from '../limits.js'
import type { TreeKernel } from '../predict/tree-kernel.js'
import { createProblemList, type Position, type ProblemList } from '../problems.js'
import { parseYaml, type YamlNode } from '../yaml-document.js'
import { mapSchema, readFields, readValue } from '../yaml-fields.js'
import {
  flagOf,
  isLoopback,
  type logLevels,
  type Setting,
  type SettingKey,
  settingKeys,
  settings,
  variableOf,
} from './config-settings.js'

export interface Config {
  readonly listen: {
    /** `host:port`; port 0 means any free one. */
    readonly grpc: string
    readonly http: string
    readonly insecure: boolean
  }
  /** URLs; the path of an `lmdb:` one is absolute. They may hold passwords. */
  readonly tiers: { readonly hot: string; readonly warm: string }
  /** Absolute paths. */
  readonly featuresFolder: string
  readonly modelsFolder: string
  readonly dataFolder: string
  readonly trees: { readonly kernel: TreeKernel }
  /** Where the judging clock stands, in µs; undefined where it runs. */
  readonly clockAtUs: bigint | undefined
  readonly limits: {
    readonly requestRows: number
    readonly batchRows: number
    readonly readTimeoutMs: number
  }
  readonly log: { readonly level: (typeof logLevels)[number] }
}

export interface ConfigSources {
  /** larder.yaml; undefined where there is none: then paths are relative to the current folder. */
  readonly configPath: string | undefined
  readonly env: Readonly<Record<string, string | undefined>>
  /** By flag, `--tiers-warm`; a flag without a value is true. Flags that set nothing are ignored. */
  readonly flags: Readonly<Record<string, unknown>>
}

const sectionSchema = mapSchema.optional()

/** What variables and flags can set. */
const outsideKeys = settingKeys.filter((key) => !('fileOnly' in settings[key]))

/** Variables that are for clients and tests. */
const othersVariables = [
  'LARDER_ADDRESS',
  'LARDER_CONFIG',
  'LARDER_FUZZ_RUNS',
  'LARDER_FUZZ_SEED',
] as const

/** Reads the configuration. Throws `bad_config` with every problem, a line each. */
export function readConfig({ configPath, env, flags }: ConfigSources): Config {
  const problems = createProblemList()
  const file = configPath === undefined ? undefined : readFile(configPath, problems)
  const given: GivenNodes = {
    file: file === undefined ? new Map() : fileNodes(file, problems),
    variables: variableNodes(env, problems),
    flags: flagNodes(flags),
  }
  const config = createConfig({
    read: (setting) => readSetting(setting, given, problems),
    baseFolder: configPath === undefined ? process.cwd() : dirname(resolve(configPath)),
  })
  checkExposure(config, given, problems)
  problems.throwIfAny('bad_config', 'the configuration is wrong:')
  return config
}

/** Given values, by the settings' paths. */
type NodesByPath = ReadonlyMap<string, YamlNode>

interface GivenNodes {
  readonly file: NodesByPath
  readonly variables: NodesByPath
  readonly flags: NodesByPath
}

function createConfig(options: {
  readonly read: <Value>(setting: Setting<Value>) => Value
  readonly baseFolder: string
}): Config {
  const { read, baseFolder } = options
  const folder = (setting: Setting<string>) => resolve(baseFolder, read(setting))
  const tier = (setting: Setting<string>) => {
    const url = read(setting)
    return url.startsWith('lmdb:') ? `lmdb:${resolve(baseFolder, url.slice(5))}` : url
  }
  return Object.freeze({
    listen: Object.freeze({
      grpc: read(settings.listenGrpc),
      http: read(settings.listenHttp),
      insecure: read(settings.listenInsecure),
    }),
    tiers: Object.freeze({ hot: tier(settings.tiersHot), warm: tier(settings.tiersWarm) }),
    featuresFolder: folder(settings.features),
    modelsFolder: folder(settings.models),
    dataFolder: folder(settings.data),
    trees: Object.freeze({ kernel: read(settings.treesKernel) }),
    clockAtUs: read(settings.clockAt),
    limits: Object.freeze({
      requestRows: read(settings.limitsRequestRows),
      batchRows: read(settings.limitsBatchRows),
      readTimeoutMs: read(settings.limitsReadTimeoutMs),
    }),
    log: Object.freeze({ level: read(settings.logLevel) }),
  })
}

/** Checks every place that gives a setting; the value of the strongest, or the default. */
function readSetting<Value>(
  { path, schema, fallback }: Setting<Value>,
  given: GivenNodes,
  problems: ProblemList,
): Value {
  let value = fallback
  for (const nodes of [given.file, given.variables, given.flags]) {
    const node = nodes.get(path)
    value = (node && readValue(node, schema, problems)) ?? value
  }
  return value
}

function readFile(path: string, problems: ProblemList): YamlNode | undefined {
  const text = readText(path)
  return parseYaml({ path, text, bytesMax: configBytesMax }, problems)
}

function readText(path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path))
  } catch (thrown) {
    const { message } = LarderError.from(thrown)
    throw new LarderError('bad_config', `${path} cannot be read: ${message}`, { cause: thrown })
  }
}

/** What larder.yaml gives; unknown keys are told. */
function fileNodes(root: YamlNode, problems: ProblemList): NodesByPath {
  const nodes = new Map<string, YamlNode>()
  if (root.kind === 'scalar' && root.value === null) return nodes
  const places = settingKeys.map((key) => settings[key].path.split('.'))
  const topShape = Object.fromEntries(
    places.map(([top = '', name]) => [top, name === undefined ? z.unknown() : sectionSchema]),
  )
  for (const [top, { node }] of Object.entries(readFields(root, topShape, problems))) {
    if (node === undefined) continue
    if (topShape[top] !== sectionSchema) nodes.set(top, node)
    else if (node.kind === 'map') {
      const names = places.filter(([section]) => section === top).map(([, name = '']) => name)
      const shape = Object.fromEntries(names.map((name) => [name, z.unknown()]))
      for (const [name, field] of Object.entries(readFields(node, shape, problems))) {
        if (field.node !== undefined) nodes.set(`${top}.${name}`, field.node)
      }
    }
  }
  return nodes
}

/** What the environment gives; unknown `LARDER_*` variables are told. */
function variableNodes(env: ConfigSources['env'], problems: ProblemList): NodesByPath {
  const byVariable = new Map(outsideKeys.map((key) => [variableOf(key), key]))
  const nodes = new Map<string, YamlNode>()
  for (const [variable, text] of Object.entries(env)) {
    if (!variable.startsWith('LARDER_') || text === undefined) continue
    if (othersVariables.some((other) => other === variable)) continue
    const key = byVariable.get(variable)
    const at = { path: variable, line: undefined, column: undefined }
    if (key !== undefined) nodes.set(settings[key].path, textNode(key, text, at))
    else {
      const known = [...byVariable.keys(), ...othersVariables]
      problems.add(at, `unknown variable${didYouMeanOrKnown(variable, known)}`)
    }
  }
  return nodes
}

function flagNodes(flags: ConfigSources['flags']): NodesByPath {
  const nodes = new Map<string, YamlNode>()
  for (const key of outsideKeys) {
    const value = flags[flagOf(key)]
    const at = { path: flagOf(key), line: undefined, column: undefined }
    if (value !== undefined) nodes.set(settings[key].path, textNode(key, String(value), at))
  }
  return nodes
}

/** A text as larder.yaml would hold it: switches and whole numbers are not text there. */
function textNode(key: SettingKey, text: string, at: Position): YamlNode {
  const kind = typeof settings[key].fallback
  if (kind === 'boolean' && /^(?:true|false)$/.test(text)) {
    return { kind: 'scalar', value: text === 'true', at }
  }
  if (kind === 'number' && /^\d{1,15}$/.test(text)) {
    return { kind: 'scalar', value: Number(text), at }
  }
  return { kind: 'scalar', value: text, at }
}

function checkExposure({ listen }: Config, given: GivenNodes, problems: ProblemList): void {
  if (listen.insecure) return
  const addresses = new Map([
    [settings.listenGrpc.path, listen.grpc],
    [settings.listenHttp.path, listen.http],
  ])
  for (const [path, address] of addresses) {
    const node = given.flags.get(path) ?? given.variables.get(path) ?? given.file.get(path)
    if (node === undefined || isLoopback(address)) continue
    problems.add(
      node.at,
      `other machines could reach ${address} without TLS or tokens, which do not exist yet: ` +
        'listen on 127.0.0.1, or set listen.insecure to true',
    )
  }
}
