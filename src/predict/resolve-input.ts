/**
 * Resolves one model input over a request's rows: what the model sees, and where it came from.
 *
 * A bad value is an error that names the input and the row, never 0.0.
 */
import type { BoundInput } from './bind-input.js'
import type { InputSources, ResolvedInput } from './input-sources.js'
import { resolveLists } from './resolve-lists.js'
import { resolveNumbers } from './resolve-numbers.js'
import type { TextNumbers } from './text-numbers.js'

/**
 * The input's column for `rowCount` rows; `texts` numbers the texts of all inputs of one model in one
 * request. Throws `invalid_argument` for a value that the model cannot take, and `resource_exhausted`
 * for more elements than a request may have.
 */
export function resolveInput(
  input: BoundInput,
  sources: InputSources,
  { rowCount, texts }: { readonly rowCount: number; readonly texts: TextNumbers },
): ResolvedInput {
  return input.kind === 'number'
    ? resolveNumbers(input, sources, rowCount)
    : resolveLists(input, sources, { rowCount, texts })
}
