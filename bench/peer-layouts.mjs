/**
 * The other layouts that users have in Redis today; Feast's has a file of its own.
 *
 *   key per feature   SET `view:feature:entity`, the value as text, lists as JSON; nothing where null
 *   hashed names      DoorDash's (2020): HSET entity, xxHash32 of the feature's name, 4 bytes; floats and
 *                     integers as decimal text, lists as packed protobuf; nothing where null
 *   packed float32    one string per entity under 9 bytes, `r` and xxHash64 of the entity: little-endian
 *                     float32 in schema order, NaN where null; a list as its element count, then elements
 *
 * DoorDash compresses its lists with Snappy. No Snappy library is among the dependencies, so lists stand
 * uncompressed here: in bytes without repetition Snappy finds nothing, and adds two or three of its own.
 * None of the three keeps event times. Each layout has `add(pipeline, row)`, a row's commands, and
 * `read(client, row)`, the cells that it gives back.
 */
import xxhash from 'xxhash-addon'
import { shortenFloat32 } from '../dist/float32-digits.js'
import { decodeFields, decodeVarints, encodeCounted, encodeVarint } from './protobuf-values.mjs'

const listType = 'list<int32>'

export function keyPerFeatureLayout(view) {
  const { features } = view
  const keysOf = (key) => features.map(({ name }) => `${view.name}:${name}:${key}`)
  return {
    add(pipeline, { key, cells }) {
      for (const [index, redisKey] of keysOf(key).entries()) {
        const cell = cells[index]
        if (cell !== null) pipeline.set(redisKey, textOf(features[index].type, cell))
      }
    },
    async read(client, { key }) {
      const texts = await client.mget(keysOf(key))
      return { cells: texts.map((text, index) => cellOf(features[index].type, text)) }
    },
  }
}

export function hashedNamesLayout({ features }) {
  const fields = features.map(({ name }) => hashedName(name))
  return {
    add(pipeline, { key, cells }) {
      const pairs = features.flatMap(({ type }, index) => {
        const cell = cells[index]
        if (cell === null) return []
        return [fields[index], type === listType ? encodeList(cell) : textOf(type, cell)]
      })
      pipeline.hset(key, ...pairs)
    },
    async read(client, { key }) {
      const values = await client.hmgetBuffer(key, ...fields)
      return {
        cells: values.map((value, index) => {
          const { type } = features[index]
          return value !== null && type === listType ? decodeList(value) : cellOf(type, value)
        }),
      }
    },
  }
}

/** A feature's name as DoorDash stores it. */
export function hashedName(name) {
  return xxhash.XXHash32.hash(Buffer.from(name))
}

export function packedFloat32Layout({ features }) {
  return {
    add(pipeline, { key, cells }) {
      pipeline.set(packedKey(key), packFloats(features, cells))
    },
    async read(client, { key }) {
      return { cells: unpackFloats(features, await client.getBuffer(packedKey(key))) }
    },
  }
}

function packedKey(key) {
  return Buffer.concat([Buffer.from('r'), xxhash.XXHash64.hash(Buffer.from(key))])
}

/** The packed row: float32 holds int16 exactly, and ids below 2^24. */
export function packFloats(features, cells) {
  const numbers = features.flatMap(({ type }, index) => {
    const cell = cells[index]
    if (cell === null) return [Number.NaN]
    return type === listType ? [cell.length, ...cell] : [cell]
  })
  const bytes = Buffer.alloc(4 * numbers.length)
  for (const [index, number] of numbers.entries()) bytes.writeFloatLE(number, 4 * index)
  return bytes
}

export function unpackFloats(features, bytes) {
  let at = 0
  const next = () => {
    const number = bytes.readFloatLE(at)
    at += 4
    return Number.isNaN(number) ? null : number
  }
  return features.map(({ type }) => {
    const number = next()
    if (type !== listType || number === null) return number
    return Array.from({ length: number }, next)
  })
}

/** Numbers with the fewest digits that give them back; lists as JSON. */
function textOf(type, cell) {
  if (type === listType) return JSON.stringify(cell)
  return String(type === 'float32' ? shortenFloat32(cell) : cell)
}

function cellOf(type, text) {
  if (text === null) return null
  const value = JSON.parse(text)
  return type === 'float32' ? Math.fround(value) : value
}

function encodeList(values) {
  if (values.length === 0) return Buffer.alloc(0)
  return encodeCounted(1, Buffer.concat(values.map(encodeVarint)))
}

function decodeList(bytes) {
  const [only] = decodeFields(bytes)
  return only === undefined ? [] : decodeVarints(only.value).map(Number)
}
