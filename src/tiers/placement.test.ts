import { expect, test } from 'vitest'
import { placements } from './placement.js'

test.each(Object.entries(placements))(
  '%s: what is read from hot is written to hot and filled there',
  (_latencyClass, placement) => {
    const { readsHot, fillsHot, writesHot } = placement
    // A view that is read from hot but not written there would serve old rows for ever.
    expect([fillsHot, writesHot]).toEqual([readsHot, readsHot])
  },
)

test('only relaxed views live in warm alone', () => {
  const inHot = Object.entries(placements).filter(([, { readsHot }]) => readsHot)
  expect(inHot.map(([latencyClass]) => latencyClass)).toEqual(['realtime', 'standard'])
})
