/**
 * Reads through the Redis tier and decodes: the daemon's share of a read, without daemon, in a process of
 * its own that holds nothing else.
 */
import { setMaxListeners } from 'node:events'
import { createRowDecoder, decodeRows } from '../dist/codec/row-decode.js'
import { createRowLayout } from '../dist/codec/row-layout.js'
import { RowBatch, rowState, tierCode } from '../dist/tiers/row-batch.js'
import { openTier } from './learned-load.mjs'
import { servePart } from './part.mjs'

const never = new AbortController().signal
setMaxListeners(0, never)

/** `keySets` are the key batches of the calls, all of as many keys. */
servePart(async ({ url, definitions, features, judge, keySets }) => {
  const decoder = createRowDecoder(
    definitions.map((definition) => createRowLayout(definition)),
    features,
  )
  const tier = await openTier(url)
  const rowCount = keySets[0].count
  const slots = Uint32Array.from({ length: rowCount }, (_, slot) => slot)
  const step = async (index) => {
    const into = new RowBatch(rowCount)
    const keys = keySets[index % keySets.length]
    const failure = await tier.read(keys, slots, into, tierCode.hot, never)
    if (failure !== undefined) throw failure
    if (into.states.includes(rowState.absent)) throw new Error('a row is missing')
    decodeRows(decoder, into, judge, { slots })
  }
  return { step, concurrency: 1, close: () => tier.close() }
})
