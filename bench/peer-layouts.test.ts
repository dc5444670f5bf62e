import { expect, test } from 'vitest'
import {
  feastField,
  feastKey,
  feastTimestamp,
  feastValue,
  murmur3,
  parseFeastTimestamp,
  parseFeastValue,
} from './feast-layout.mjs'
import { hashedName, packFloats, unpackFloats } from './peer-layouts.mjs'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

test.each([
  ['hello', 0x248bfa47],
  ['', 0],
  ['a', 0x3c2569b2],
  ['ab', 0x9bbfd75f],
  ['abc', 0xb3dd93fa],
])('murmur3_32 of %j', (text, hash) => {
  expect(murmur3(Buffer.from(text))).toBe(hash)
})

test('an entity of Feast has the key that its SDK writes', () => {
  expect(hex(feastKey({ driver_id: 1002n }))).toBe(
    '0100000002000000090000006472697665725f69640400000008000000ea03000000000000666561747572655f7265706f',
  )
})

test('several join keys stand in Feast sorted by name, all names before all values', () => {
  expect(hex(feastKey({ b: 'yy', a: 'x' }))).toBe(
    [
      '02000000',
      '020000000100000061',
      '020000000100000062',
      '020000000100000078',
      '02000000020000007979',
      hex(Buffer.from('feature_repo')),
    ].join(''),
  )
})

test.each([
  ['conv_rate', '6160e3da'],
  ['acc_rate', 'fa5e58ad'],
  ['avg_daily_trips', '18a5e5a3'],
])('Feast names the field of %s as its SDK does', (feature, field) => {
  expect(hex(feastField('driver_hourly_stats', feature))).toBe(field)
})

test.each([
  ['float32', Math.fround(0.92739803), '35f5696d3f'],
  ['int64', 308n, '20b402'],
  ['int16', -1, '18ffffffffffffffffff01'],
  ['float64', 1.5, '29000000000000f83f'],
  ['bool', true, '3801'],
  ['bool', false, '3800'],
  ['timestamp', 1_640_991_600_000_000n, '40f096be8e06'],
  ['categorical', 'JFK', '12034a464b'],
  ['list<int32>', [], '6a00'],
  ['list<int32>', [1, 300], '6a050a0301ac02'],
  ['list<float32>', [1], '8201060a040000803f'],
  ['float32', null, ''],
])('Feast holds the %s %s as %s', (type, value, bytes) => {
  expect(hex(feastValue(type, value))).toBe(bytes)
  expect(parseFeastValue(type, Buffer.from(bytes, 'hex'))).toEqual(value)
})

test.each([
  [1_640_991_600_000_000n, '08f096be8e06'],
  [1_640_991_600_000_001n, '08f096be8e0610e807'],
])('Feast keeps the event time %s as a Timestamp', (eventTimeUs, bytes) => {
  expect(hex(feastTimestamp(eventTimeUs))).toBe(bytes)
  expect(parseFeastTimestamp(Buffer.from(bytes, 'hex'))).toBe(eventTimeUs)
})

test('a hashed name is its canonical xxHash32', () => {
  expect(hex(hashedName(''))).toBe('02cc5d05')
  expect(hex(hashedName('abc'))).toBe('32d153ff')
})

test('a packed row is float32 in schema order, a list behind its count, null as NaN', () => {
  const features = [{ type: 'float32' }, { type: 'list<int32>' }, { type: 'int16' }]
  const packed = packFloats(features, [1, [2, 3], null])
  expect(hex(packed)).toBe('0000803f00000040000000400000404000' + '00c07f')
  expect(unpackFloats(features, packed)).toEqual([1, [2, 3], null])
  expect(unpackFloats(features, packFloats(features, [null, null, 7]))).toEqual([null, null, 7])
})
