/**
 * A version's files -> a model that has passed its test vectors.
 */
import { join } from 'node:path'
import type { Clock } from '../clock.js'
import { LarderError } from '../errors.js'
import { modelCheckTimeoutMs, modelFolderFilesMax, testVectorsBytesMax } from '../limits.js'
import { readBoundedText } from './bounded-file.js'
import { checkModel } from './check-model.js'
import type { FoundVersion } from './find-versions.js'
import { loadModel } from './load-model.js'
import type { Model } from './model.js'
import { findModelFile } from './model-files.js'
import type { ModelYaml } from './model-yaml.js'
import { parseTestVectors, type TestVector, testVectorsFileNames } from './test-vectors.js'
import type { TreeKernel } from './tree-kernel.js'

/** A model and what its loading told. */
export interface LoadedModel {
  readonly model: Model
  /** Test vectors that it passed. */
  readonly vectorCount: number
  readonly loadedAtMs: number
  /** Reading, parsing, checking and warming up. */
  readonly loadMs: number
}

/** Loads and checks the model. Throws `bad_model` with the reason why it may not serve. */
export async function loadVersion(
  found: FoundVersion,
  yaml: ModelYaml | undefined,
  { clock, kernel }: { readonly clock: Clock; readonly kernel: TreeKernel },
): Promise<LoadedModel> {
  const startMs = clock.monotonicMs()
  if (found.files.length > modelFolderFilesMax) {
    throw badModel(`${found.folder} holds more than ${modelFolderFilesMax} files`)
  }
  const { kind, path } = await findModelFile(found.folder, found.files, yaml?.kind)
  const vectors = [
    ...(yaml?.testVectors ?? []).filter(
      ({ version }) => version === undefined || version === found.version,
    ),
    ...(await readVectors(found)),
  ]
  const model = await loadModel({
    kind,
    path,
    kernel: kernel === 'auto' ? (yaml?.kernel ?? 'auto') : kernel,
    tensors: yaml?.tensors ?? new Map(),
    output: yaml?.output,
  })
  try {
    if (yaml !== undefined && model.kind !== kind) {
      throw badModel(`model.yaml says kind: ${kind}, but ${path} is a ${model.kind} model`)
    }
    await checkModel(model, vectors, clock.timeout(modelCheckTimeoutMs))
  } catch (thrown) {
    model.close()
    throw timedOut(thrown)
  }
  return {
    model,
    vectorCount: vectors.length,
    loadedAtMs: clock.nowMs(),
    loadMs: clock.monotonicMs() - startMs,
  }
}

async function readVectors({ folder, files }: FoundVersion): Promise<readonly TestVector[]> {
  const names = testVectorsFileNames.filter((name) => files.includes(name))
  const [name] = names
  if (name === undefined) return []
  if (names.length > 1) throw badModel(`${folder} holds ${names.join(' and ')}: one is enough`)
  const path = join(folder, name)
  return parseTestVectors({ path, text: await readBoundedText(path, testVectorsBytesMax) })
}

function timedOut(thrown: unknown): unknown {
  if (LarderError.from(thrown).code !== 'deadline_exceeded') return thrown
  const seconds = modelCheckTimeoutMs / 1000
  return badModel(`its test vectors or warm-up took more than ${seconds} s`)
}

function badModel(message: string): LarderError {
  return new LarderError('bad_model', message)
}
