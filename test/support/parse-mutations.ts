/**
 * What becomes of damaged files of trees: each is refused, or read and scored. A crash ends the test.
 */
import { setImmediate } from 'node:timers/promises'
import type { TreeModel } from '../../src/predict/tree-model.js'

export interface MutationsOutcome {
  readonly acceptedCount: number
  /** The codes of the errors by which the others were refused. */
  readonly refusals: readonly unknown[]
}

/** Parses `runCount` of what `damaged` makes; those that are models score four rows. */
export async function parseMutations(
  parse: (bytes: Uint8Array) => TreeModel,
  damaged: (run: number) => Uint8Array,
  runCount: number,
): Promise<MutationsOutcome> {
  const refusals = new Set<unknown>()
  let acceptedCount = 0
  for (let run = 0; run < runCount; run++) {
    // A long run must not starve the test runner's own messages.
    if (run % 1000 === 0) await setImmediate()
    const model = tryParse(parse, damaged(run), refusals)
    if (model === undefined) continue
    acceptedCount++
    const columns = model.featureNames.map(() => Float64Array.of(NaN, 1, -3e9, 50))
    await model.predict(columns, 4, new Float64Array(4 * model.outputCount), { raw: false })
    model.close()
  }
  return { acceptedCount, refusals: [...refusals] }
}

/** The model, or undefined where it was refused; `codes` collects how. */
function tryParse(
  parse: (bytes: Uint8Array) => TreeModel,
  bytes: Uint8Array,
  codes: Set<unknown>,
): TreeModel | undefined {
  try {
    return parse(bytes)
  } catch (error) {
    codes.add(error instanceof Error && 'code' in error ? error.code : error)
    return undefined
  }
}
