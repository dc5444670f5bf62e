/**
 * A model's file -> a model, whatever its kind: what the repository, `larder doctor` and
 * `larder model score` call.
 */
import { dirname, join } from 'node:path'
import { graphBytesMax, modelFileBytesMax, weightsBytesMax } from '../limits.js'
import { readBoundedBytes, readBoundedText } from './bounded-file.js'
import { loadCompositeModel } from './composite/composite-model.js'
import { parseLightgbmModel } from './lightgbm-model.js'
import { parseLinearModel } from './linear-model.js'
import type { Model } from './model.js'
import type { ModelKind } from './model-kind.js'
import { loadOnnxModel } from './onnx-model.js'
import type { TreeKernel } from './tree-kernel.js'
import type { TreeModel } from './tree-model.js'
import { parseXgboostModel } from './xgboost-model.js'

export interface ModelSource {
  readonly kind: ModelKind
  /** Of the model's file; nested models lie beside it. */
  readonly path: string
  /** For trees, nested ones too. */
  readonly kernel: TreeKernel
  /** For ONNX, as model.yaml has them. */
  readonly tensors: ReadonlyMap<string, readonly string[]>
  readonly output: string | undefined
}

type Loader = (source: ModelSource) => Promise<Model>

const loaders = {
  lightgbm: async ({ path, kernel }) => parseLightgbmModel(await readModelFile(path), { kernel }),
  xgboost: async ({ path, kernel }) => parseXgboostModel(await readModelFile(path), { kernel }),
  linear: loadLinear,
  logistic: loadLinear,
  composite: loadComposite,
  onnx: async ({ path, tensors, output }) => await loadOnnxModel({ path, tensors, output }),
} satisfies Record<ModelKind, Loader>

/** Loads a model, which the caller closes. Throws `bad_model` with the file's place that is wrong. */
export async function loadModel(source: ModelSource): Promise<Model> {
  const loader: Loader = loaders[source.kind]
  return await loader(source)
}

export function isTreeModel(model: Model): model is TreeModel {
  return 'predictLeaves' in model
}

async function loadLinear({ path }: ModelSource): Promise<Model> {
  return parseLinearModel({ path, text: await readBoundedText(path, weightsBytesMax) })
}

async function loadComposite(source: ModelSource): Promise<Model> {
  const { path } = source
  return await loadCompositeModel({
    path,
    text: await readBoundedText(path, graphBytesMax),
    loadNested: async (nested) =>
      await loadModel({
        kind: nested.kind,
        path: join(dirname(path), nested.path),
        kernel: source.kernel,
        tensors: new Map(),
        output: undefined,
      }),
  })
}

function readModelFile(path: string): Promise<Buffer> {
  return readBoundedBytes(path, modelFileBytesMax)
}
