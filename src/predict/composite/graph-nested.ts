/**
 * The node `model`: a model file beside the graph, whose inputs are nodes.
 *
 *   - name: rank
 *     op: model
 *     kind: lightgbm
 *     file: ranker.txt
 *     inputs: { price: price, distance: distance_km, cuisine: cuisine }
 *     raw: true                 # without the objective's transform
 *     output: 0                 # which score, where there are several
 */
import { z } from 'zod'
import { foreignNameCharsMax } from '../../limits.js'
import type { ProblemList } from '../../problems.js'
import { quoteText } from '../../quoted-text.js'
import type { YamlNode } from '../../yaml-document.js'
import { entriesOf, mapSchema, readFields } from '../../yaml-fields.js'
import { type NestedModel, type NodeOp, nestedKinds } from './graph.js'
import { nodeNameSchema, readOperand, wordSchema } from './graph-fields.js'
import { type CheckedWork, numberType, type RawNode } from './typed-operand.js'

const kindSchema = z
  .string()
  .transform((text, context) => {
    if (text !== 'composite') return text
    const message = '"composite" cannot be nested: write its nodes here'
    context.addIssue({ code: 'custom', message })
    return z.NEVER
  })
  .pipe(wordSchema('a kind of model that can be nested', nestedKinds))

/** Names of files and folders, none of which leads out of the version's folder. */
const fileSchema = z
  .string()
  .min(1)
  .max(foreignNameCharsMax)
  .refine((path) => path.split('/').every(isInside) && !/[\\\0:]/.test(path), {
    error: 'expected the path of a file inside the folder of the graph, such as ranker.txt',
  })

function isInside(step: string): boolean {
  return step !== '' && step !== '.' && step !== '..'
}

const shape = {
  name: nodeNameSchema,
  op: z.unknown(),
  kind: kindSchema,
  file: fileSchema,
  inputs: mapSchema,
  raw: z.boolean().default(false),
  output: z.int().min(0).optional(),
}

export function readNested(
  node: YamlNode,
  _op: NodeOp,
  problems: ProblemList,
): RawNode | undefined {
  const fields = readFields(node, shape, problems)
  const entries = [...entriesOf(fields.inputs.node)]
  if (fields.inputs.node !== undefined && entries.length === 0) {
    problems.add(fields.inputs.at, 'expected at least one input of the model and the node it reads')
  }
  const operands = entries.flatMap(([, entry]) => readOperand(entry.node, problems) ?? [])
  const { value: name } = fields.name
  const { value: kind } = fields.kind
  const { value: file } = fields.file
  if (name === undefined || kind === undefined || file === undefined) return undefined
  if (operands.length === 0 || operands.length !== entries.length) return undefined
  const nested: NestedModel = {
    kind,
    file,
    inputNames: entries.map(([inputName]) => inputName),
    raw: fields.raw.value === true,
    outputIndex: fields.output.value,
  }
  const checked: CheckedWork = { work: { op: 'model', nested }, type: numberType }
  // What the operands must be is told by the model, once it is loaded.
  return { name, at: fields.name.at, operands, check: () => checked }
}

/** For messages. */
export function describeNested({ kind, file }: NestedModel): string {
  return `${kind} model ${quoteText(file)}`
}
