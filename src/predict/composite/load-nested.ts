/**
 * Loads the models that a graph nests, each file once, and checks that they fit it.
 */
import { LarderError } from '../../errors.js'
import { createProblemList } from '../../problems.js'
import { quoteText } from '../../quoted-text.js'
import type { Model } from '../model.js'
import type { ModelKind } from '../model-kind.js'
import type { ComputeNode, Graph, NestedModel } from './graph.js'
import { throwProblems } from './graph-file.js'
import { type NestedNode, nestedNodes } from './graph-levels.js'
import { bindNested, type NestedBinding } from './nested-inputs.js'

/** Loads a model beside the graph; `path` is relative to the graph's folder and inside it. */
export type NestedLoader = (nested: {
  readonly kind: ModelKind
  readonly path: string
}) => Promise<Model>

export interface LoadedNested {
  readonly node: ComputeNode
  readonly model: Model
  readonly binding: NestedBinding
}

/** One for each nested node. Throws `bad_model`, and closes what was loaded, where any does not load or fit. */
export async function loadNestedModels(
  graph: Graph,
  { path, loadNested }: { readonly path: string; readonly loadNested: NestedLoader },
): Promise<readonly LoadedNested[]> {
  const problems = createProblemList()
  const models = new Map<string, Model | undefined>()
  const loaded: LoadedNested[] = []
  try {
    for (const nestedNode of nestedNodes(graph)) {
      const { node, nested } = nestedNode
      const key = keyOf(nested)
      if (!models.has(key)) {
        const tried = await tryLoad(nestedNode, loadNested)
        if (typeof tried === 'string') problems.add(node.at, tried)
        models.set(key, typeof tried === 'string' ? undefined : tried)
      }
      const model = models.get(key)
      const binding = model && bindNested(graph, nestedNode, model, problems)
      if (model !== undefined && binding !== undefined) loaded.push({ node, model, binding })
    }
    throwProblems(problems, path)
    return loaded
  } catch (thrown) {
    closeAll([...models.values()].flatMap((model) => model ?? []))
    throw thrown
  }
}

export function closeAll(models: readonly Model[]): void {
  for (const model of models) model.close()
}

function keyOf({ kind, file }: NestedModel): string {
  return `${kind} ${file}`
}

/** The model, or why there is none. What is not the file's fault is thrown. */
async function tryLoad(
  { node, nested }: NestedNode,
  loadNested: NestedLoader,
): Promise<Model | string> {
  try {
    return await loadNested({ kind: nested.kind, path: nested.file })
  } catch (thrown) {
    const error = LarderError.from(thrown)
    const message = `node ${quoteText(node.name)}: ${error.message}`
    if (error.code !== 'internal') return message
    throw new LarderError('internal', message, { cause: thrown })
  }
}
