/**
 * The field `default` of a feature or of a request value: its value once the type is known.
 */

import type { DefaultValue } from '../declared.js'
import { LarderError } from '../errors.js'
import type { FeatureType } from '../feature-type.js'
import type { ProblemList } from '../problems.js'
import type { Field } from '../yaml-fields.js'
import { parseDefault } from './default-value.js'

/** The default that `field` holds for `type`; undefined where it is absent, or wrong, which is told. */
export function readDefault(
  type: FeatureType,
  field: Field<unknown>,
  problems: ProblemList,
): DefaultValue | undefined {
  if (field.value === undefined) return undefined
  try {
    return parseDefault(type, field.value)
  } catch (thrown) {
    if (!(thrown instanceof LarderError)) throw thrown
    problems.add(field.at, thrown.message)
    return undefined
  }
}
