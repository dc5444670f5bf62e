import { expect, test } from 'vitest'
import { keysCommand, scriptCall } from './redis-command.js'

const keys = {
  bytes: Buffer.from('onetwo'),
  offsets: Uint32Array.of(0, 3, 6, 6),
  picks: Uint32Array.of(2, 0),
  shard: 5,
}

test('a command of picked keys and arguments, in the protocol', () => {
  const command = keysCommand('hdel', keys, [Buffer.from('\r\n')])
  expect(command).toMatchObject({ name: 'hdel', shard: 5 })
  expect(command.bytes.toString()).toBe('*4\r\n$4\r\nhdel\r\n$0\r\n\r\n$3\r\none\r\n$2\r\n\r\n\r\n')
})

test('a script is called by its digest, and by its text where that is unknown', () => {
  const script = { text: 'return 1', digest: 'abc' }
  const call = scriptCall(script, keys, [])
  const tail = '$1\r\n2\r\n$0\r\n\r\n$3\r\none\r\n'
  expect(call.first.bytes.toString()).toBe(`*5\r\n$7\r\nevalsha\r\n$3\r\nabc\r\n${tail}`)
  expect(call.withText?.().bytes.toString()).toBe(`*5\r\n$4\r\neval\r\n$8\r\nreturn 1\r\n${tail}`)
  expect(call.first.shard).toBe(5)
})

test.each([
  { title: 'a pick beyond the keys', changed: { picks: Uint32Array.of(3) } },
  { title: 'a pick far beyond', changed: { picks: Uint32Array.of(2 ** 32 - 1) } },
  { title: 'offsets beyond the bytes', changed: { offsets: Uint32Array.of(0, 7) } },
  { title: 'offsets that fall', changed: { offsets: Uint32Array.of(3, 0) } },
])('$title is a bug of the caller', ({ changed }) => {
  expect(() => keysCommand('mget', { ...keys, ...changed })).toThrow(TypeError)
})
