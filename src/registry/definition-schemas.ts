/**
 * The fields of definition files, and what each may hold. `docs/DEFINITIONS.md` tells users.
 */
import { z } from 'zod'
import { didYouMean } from '../closest-name.js'
import { parseDuration } from '../duration.js'
import { LarderError } from '../errors.js'
import { type FeatureType, parseFeatureType, scalarTypes } from '../feature-type.js'
import {
  embeddingDimMax,
  expectedEntitiesMax,
  foreignNameCharsMax,
  nameCharsMax,
} from '../limits.js'
import { quoteText } from '../quoted-text.js'
import { listSchema, mapSchema, parsedText } from '../yaml-fields.js'

const namePattern = new RegExp(`^[A-Za-z_][A-Za-z0-9_]{0,${nameCharsMax - 1}}$`)
const nameExpected = `a name of letters, digits and _, at most ${nameCharsMax}, not beginning with a digit`
const durationExpected = 'a duration such as 36h'

export const nameSchema = z
  .string({ error: `expected ${nameExpected}` })
  .regex(namePattern, { error: `expected ${nameExpected}` })

export const typeSchema = parsedText('a type such as int32', readType)

/** Names a column or a path in the user's own files, whose rules are not ours. */
const foreignNameSchema = z.string().min(1).max(foreignNameCharsMax)

export const fileShape = {
  entities: listSchema.optional(),
  feature_views: listSchema.optional(),
  feature_services: listSchema.optional(),
}

export const entityShape = { name: nameSchema, keys: mapSchema }

export const viewShape = {
  name: nameSchema,
  entity: nameSchema,
  latency_class: z.enum(['realtime', 'standard', 'relaxed']),
  ttl: parsedText(durationExpected, parseDuration),
  retention: parsedText(durationExpected, parseDuration),
  on_stale: z.enum(['serve', 'default']).default('serve'),
  packing: z.enum(['string', 'bucket']).default('string'),
  expected_entities: z
    .int({ error: `expected a whole number from 1 to ${expectedEntitiesMax}` })
    .min(1)
    .max(expectedEntitiesMax)
    .optional(),
  features: listSchema,
  source: mapSchema.optional(),
}

export const featureShape = { name: nameSchema, type: typeSchema, default: z.unknown() }

export const sourceShape = { path: foreignNameSchema, event_time: foreignNameSchema }

export const serviceShape = { name: nameSchema, views: listSchema }

export const serviceViewShape = {
  view: nameSchema,
  as: nameSchema.optional(),
  keys: mapSchema.optional(),
  features: listSchema.optional(),
}

function readType(text: string): FeatureType {
  const type = parseFeatureType(text)
  if (type === undefined) {
    throw new LarderError(
      'invalid_argument',
      `${quoteText(text)} is not a type${didYouMean(text, scalarTypes)}: ` +
        `types are ${scalarTypes.join(', ')}, list<TYPE> and embedding<DIM, f32|f16|int8>`,
    )
  }
  if (type.kind === 'embedding' && !(type.dim >= 1 && type.dim <= embeddingDimMax)) {
    throw new LarderError(
      'invalid_argument',
      `an embedding has between 1 and ${embeddingDimMax} dimensions, found ${type.dim}`,
    )
  }
  return type
}
