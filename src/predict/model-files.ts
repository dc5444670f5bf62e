/**
 * Which file of a version's folder is the model, and of what kind it is.
 *
 * The names of files tell the kind, unless model.yaml does. A folder as MLflow writes it is taken as it
 * is where its flavour is a kind of ours. What could mean two things is refused: a guess would be a wrong
 * score.
 */
import { basename, join } from 'node:path'
import { LarderError } from '../errors.js'
import { configBytesMax } from '../limits.js'
import { createProblemList } from '../problems.js'
import { quoteText } from '../quoted-text.js'
import { parseYaml } from '../yaml-document.js'
import { entriesOf } from '../yaml-fields.js'
import { readBoundedText } from './bounded-file.js'
import { type ModelKind, modelKinds } from './model-kind.js'

export interface ModelFile {
  readonly kind: ModelKind
  readonly path: string
}

/** The file names of each kind, in order of preference. */
const modelFileNames = {
  lightgbm: ['model.txt', 'model.lgb'],
  xgboost: ['model.json', 'model.ubj'],
  linear: ['weights.yaml', 'weights.json'],
  logistic: ['weights.yaml', 'weights.json'],
  composite: ['graph.yaml', 'graph.json'],
  onnx: ['model.onnx'],
} as const satisfies Record<ModelKind, readonly string[]>

/** What MLflow writes into the folder of a model. */
export const mlflowFileName = 'MLmodel'

/**
 * The model's file among `files`, paths within `folder`; `kind` is what model.yaml says, if it is there.
 * Throws `bad_model` where there is none, or several that could be it.
 */
export async function findModelFile(
  folder: string,
  files: readonly string[],
  kind: ModelKind | undefined,
): Promise<ModelFile> {
  const named = kind === undefined ? fileByName(folder, files) : fileOfKind(folder, files, kind)
  if (named !== undefined) return named
  if (files.includes(mlflowFileName)) return readMlflow(folder, files, kind)
  const expected =
    kind === undefined ? modelKinds.flatMap((any) => modelFileNames[any]) : modelFileNames[kind]
  const names = [...new Set(expected)]
  const wanted = names.length === 1 ? names.join() : `one of ${names.join(', ')}`
  const why = kind === undefined ? '' : ` (model.yaml says kind: ${kind})`
  throw badModel(`no model in ${folder}: expected ${wanted}${why}`)
}

/** The kind that a file's name tells; any other file is taken for a LightGBM text model. */
export function kindOfFile(path: string): ModelKind {
  const name = basename(path)
  const named = modelKinds.find((kind) => modelFileNames[kind].some((known) => known === name))
  if (named !== undefined) return named
  if (/\.(?:json|ubj)$/.test(name)) return 'xgboost'
  return name.endsWith('.onnx') ? 'onnx' : 'lightgbm'
}

function fileOfKind(
  folder: string,
  files: readonly string[],
  kind: ModelKind,
): ModelFile | undefined {
  const name = modelFileNames[kind].find((candidate) => files.includes(candidate))
  return name === undefined ? undefined : { kind, path: join(folder, name) }
}

/** A graph may have the files of its nested models beside it; else one kind's files must be alone. */
function fileByName(folder: string, files: readonly string[]): ModelFile | undefined {
  const graph = fileOfKind(folder, files, 'composite')
  if (graph !== undefined) return graph
  // A weights file says itself whether it is linear or logistic.
  const kinds = modelKinds.filter((kind) => kind !== 'composite' && kind !== 'logistic')
  const found = kinds.flatMap((kind) => fileOfKind(folder, files, kind) ?? [])
  if (found.length > 1) {
    const names = found.map(({ path }) => basename(path)).join(' and ')
    throw badModel(`${folder} holds ${names}: say in model.yaml which kind the model is`)
  }
  return found[0]
}

/** The flavours of MLflow whose file is one of our kinds as it is. */
const mlflowKinds: readonly ModelKind[] = ['lightgbm', 'xgboost', 'onnx']

async function readMlflow(
  folder: string,
  files: readonly string[],
  wanted: ModelKind | undefined,
): Promise<ModelFile> {
  const path = join(folder, mlflowFileName)
  const flavors = await readFlavors(path)
  const kinds = mlflowKinds.filter((kind) => wanted === undefined || kind === wanted)
  const kind = kinds.find((candidate) => flavors.has(candidate))
  if (kind === undefined) {
    const known = [...flavors.keys()].join(', ') || 'none'
    const taken = wanted === undefined ? mlflowKinds.join(', ') : `model.yaml wants ${wanted}`
    throw badModel(`${path} has the flavours ${known}, of which none can be taken (${taken})`)
  }
  const name = flavors.get(kind)
  if (name === undefined) throw badModel(`${path}: its flavour ${kind} names no data file`)
  if (/\.(?:pkl|pickle|cloudpickle)$/.test(name)) {
    throw badModel(
      `${path}: ${quoteText(name)} is a Python pickle, which is never read: log the booster, ` +
        'not the scikit-learn model around it',
    )
  }
  if (!files.includes(name)) {
    throw badModel(`${path}: its flavour ${kind} names ${quoteText(name)}, which is not there`)
  }
  return { kind, path: join(folder, name) }
}

/** The data file of each flavour; undefined where it names none. */
async function readFlavors(path: string): Promise<ReadonlyMap<string, string | undefined>> {
  const problems = createProblemList()
  const text = await readBoundedText(path, configBytesMax)
  const root = parseYaml({ path, text, bytesMax: configBytesMax }, problems)
  problems.throwIfAny('bad_model', `${path} is wrong:`)
  const flavors = entriesOf(entriesOf(root).get('flavors')?.node)
  return new Map(
    [...flavors].map(([flavor, { node }]) => {
      const data = entriesOf(node).get('data')?.node
      const name =
        data?.kind === 'scalar' && typeof data.value === 'string' ? data.value : undefined
      return [flavor, name]
    }),
  )
}

function badModel(message: string): LarderError {
  return new LarderError('bad_model', message)
}
