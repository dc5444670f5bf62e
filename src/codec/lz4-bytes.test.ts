import { expect, test } from 'vitest'
import { lz4Bytes } from './lz4-bytes.js'

test('a repetitive value becomes short, another stays as long as it is', () => {
  expect(lz4Bytes(new Uint8Array(10_000))).toBeLessThan(100)
  expect(lz4Bytes(Buffer.from('abcdefgh'))).toBe(8)
  expect(lz4Bytes(new Uint8Array(0))).toBe(0)
})
