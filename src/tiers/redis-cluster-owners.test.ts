import { describe, expect, test } from 'vitest'
import { shardCount } from '../codec/store-key.js'
import { parseClusterSlots, redirectionOf } from './redis-cluster-owners.js'
import { slotCount } from './redis-shards.js'

const node = (host: unknown, port: unknown) => [host, port, Buffer.from('id'), []]
const half = slotCount / 2

describe('CLUSTER SLOTS', () => {
  test('says the primary of every shard, whatever replicas stand behind it', () => {
    const owners = parseClusterSlots(
      [
        [half, slotCount - 1, node(Buffer.from('b'), 2), node(Buffer.from('c'), 3)],
        [0, half - 1, node(Buffer.from('a'), 1)],
      ],
      'asked',
    )
    expect(owners.nodes).toEqual(['b:2', 'a:1'])
    expect(owners.servedSlotCount).toBe(slotCount)
    expect(owners.ofShard.slice(0, shardCount / 2)).toEqual(Array(shardCount / 2).fill('a:1'))
    expect(owners.ofShard.slice(shardCount / 2)).toEqual(Array(shardCount / 2).fill('b:2'))
  })

  test('leaves shards without a node where slots are served by none', () => {
    const owners = parseClusterSlots([[0, half - 1, node('a', 1)]], 'asked')
    expect(owners.servedSlotCount).toBe(half)
    expect(owners.ofShard.filter((address) => address === undefined)).toHaveLength(shardCount / 2)
    expect(parseClusterSlots([], 'asked')).toMatchObject({ nodes: [], servedSlotCount: 0 })
  })

  test.each([{ host: null }, { host: '' }, { host: Buffer.from('?') }])(
    'a node that does not know its name ($host) is where it was asked',
    ({ host }) => {
      expect(parseClusterSlots([[0, 1, node(host, 7)]], 'asked').nodes).toEqual(['asked:7'])
    },
  )

  test.each([
    { reply: null },
    { reply: 7 },
    { reply: Buffer.from('OK') },
    { reply: [7] },
    { reply: [[0, 1]] },
    { reply: [[0, slotCount, node('a', 1)]] },
    { reply: [[5, 4, node('a', 1)]] },
    { reply: [[0, 1, ['a', 'port']]] },
    { reply: [[-1, 1, node('a', 1)]] },
  ])('$reply is none', ({ reply }) => {
    expect(() => parseClusterSlots(reply, 'asked')).toThrow(
      expect.objectContaining({
        code: 'unavailable',
        message: expect.stringContaining('CLUSTER SLOTS answered'),
      }),
    )
  })
})

describe('redirections', () => {
  test.each([
    { message: 'MOVED 3999 10.0.0.1:6381', kind: 'moved', slot: 3999, address: '10.0.0.1:6381' },
    { message: 'ASK 0 redis-2.local:7000', kind: 'ask', slot: 0, address: 'redis-2.local:7000' },
    { message: 'MOVED 1 ::1:7000', kind: 'moved', slot: 1, address: '::1:7000' },
    { message: 'MOVED 1 :7000', kind: 'moved', slot: 1, address: 'asked:7000' },
    { message: 'ASK 1 ?:7000', kind: 'ask', slot: 1, address: 'asked:7000' },
  ])('$message', ({ message, ...redirection }) => {
    expect(redirectionOf(message, 'asked')).toEqual(redirection)
  })

  test.each([
    'TRYAGAIN Multiple keys request during rehashing of slot',
    'CLUSTERDOWN Hash slot not served',
    'MOVED',
    'MOVED 1 host',
    'ERR MOVED 1 h:7',
    '',
  ])('%s is none', (message) => {
    expect(redirectionOf(message, 'asked')).toBeUndefined()
  })
})
