import { expect, test } from 'vitest'
import { leastListpackLimits } from './listpack-limits.js'

const reply = (...texts: string[]) => texts.map((text) => Buffer.from(text))
const redis7 = reply('hash-max-listpack-value', '64', 'hash-max-listpack-entries', '128')
const redis6 = reply('hash-max-ziplist-entries', '512', 'hash-max-ziplist-value', '48')

test.each([
  { title: 'Redis 7', replies: [redis7], limits: { entriesMax: 128, valueBytesMax: 64 } },
  { title: 'Redis 6', replies: [redis6], limits: { entriesMax: 512, valueBytesMax: 48 } },
  {
    title: 'several servers: the least of each',
    replies: [redis7, redis6],
    limits: { entriesMax: 128, valueBytesMax: 48 },
  },
  {
    title: 'a reply that lacks one',
    replies: [reply('hash-max-ziplist-entries', '512')],
    limits: 'unknown',
  },
  { title: 'an empty reply', replies: [reply()], limits: 'unknown' },
  {
    title: 'one server that refuses',
    replies: [redis7, new Error('ERR unknown command')],
    limits: 'unknown',
  },
])('limits of $title', ({ replies, limits }) => {
  expect(leastListpackLimits(replies)).toEqual(limits)
})
