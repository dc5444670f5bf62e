/**
 * An explained input of a prediction, row by row, as people read it.
 */
import type { InputResult } from '../client/index.js'
import { cellStatusText } from '../column.js'
import { parseFeatureType, scalarTypeOf } from '../feature-type.js'
import { shortenFloat32 } from '../float32-digits.js'
import { formatInstant } from '../instant.js'

export interface ExplainedCell {
  /** A number; of a list its numbers or texts. */
  readonly value: number | readonly number[] | readonly string[]
  readonly from: string
  readonly status: string | null
  readonly tier: string | null
  readonly event_time: string | null
}

/** What the model saw in a row; `types` has the declared type of what the inputs read. */
export function explainCell(
  input: InputResult,
  rowIndex: number,
  types: ReadonlyMap<string, string>,
): ExplainedCell {
  const status = input.statusAt(rowIndex)
  const tier = input.tierAt(rowIndex)
  const type = parseFeatureType(types.get(input.feature) ?? '')
  const isFloat32 = type !== undefined && scalarTypeOf(type) === 'float32'
  const numbers = Array.from(input.valuesAt(rowIndex), (value) =>
    isFloat32 ? shortenFloat32(value) : value,
  )
  const [number = Number.NaN] = numbers
  return {
    value: input.isList ? (input.textsAt(rowIndex) ?? numbers) : number,
    from: sourceTexts[input.sourceAt(rowIndex)],
    status: status === undefined ? null : cellStatusText[status],
    tier: tier ?? null,
    event_time: tier === undefined ? null : formatInstant(input.eventTimesUs[rowIndex] ?? 0n),
  }
}

const sourceTexts = {
  given: 'given',
  stored: 'store',
  modelDefault: "model's default",
  viewDefault: "view's default",
  missing: 'missing',
} as const satisfies Record<ReturnType<InputResult['sourceAt']>, string>
