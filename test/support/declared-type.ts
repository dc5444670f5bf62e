/**
 * Types as definitions write them, for tests.
 */
import { type FeatureType, parseFeatureType } from '../../src/feature-type.js'

/** The type that `text` declares. Throws where it is none. */
export function declaredType(text: string): FeatureType {
  const type = parseFeatureType(text)
  if (type === undefined) throw new Error(`no type ${text}`)
  return type
}
