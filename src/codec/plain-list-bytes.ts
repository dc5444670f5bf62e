/**
 * The bytes of a list or an embedding as plain rows hold it: what a block holds of it.
 *
 * The native codec writes rows; this serves to learn from a sample whether blocks pay.
 */
import { assert } from '../assert.js'
import type { ScalarValues } from '../column.js'
import type { EmbeddingStorage, ScalarType } from '../feature-type.js'
import { floatsOf, int8ScaleOf, storedElements } from './embedding-elements.js'
import { textReader } from './learn-counts.js'
import type { ListPlace, SampledLists } from './learn-lists.js'

/** Every list of `sampled`. */
export function plainLists({ type, elements, lists }: SampledLists): Uint8Array[] {
  if (type.kind === 'embedding') {
    return lists.map((place) => embeddingBytes(type.storage, floatsOf(elements, place)))
  }
  const bytesAt = elementWriter(type.element, elements)
  return lists.map((place) => Buffer.concat([varintOf(place.elementCount), ...bytesAt(place)]))
}

function embeddingBytes(storage: EmbeddingStorage, floats: Float32Array): Uint8Array {
  if (storage === 'f32') return bytesOf(floats)
  if (storage === 'f16') return bytesOf(Uint16Array.from(storedElements('f16', floats)))
  const scale = bytesOf(Float32Array.of(int8ScaleOf(floats)))
  return Buffer.concat([scale, bytesOf(Int8Array.from(storedElements('int8', floats)))])
}

function elementWriter(
  scalar: ScalarType,
  values: ScalarValues,
): (place: ListPlace) => readonly Uint8Array[] {
  if (values.class === 'var') {
    const textAt = textReader(values)
    return ({ begin, elementCount }) =>
      Array.from({ length: elementCount }, (_, index) => textAt(begin + index)).flatMap((text) => [
        varintOf(text.byteLength),
        text,
      ])
  }
  return ({ begin, elementCount }) => [
    numberBytes(scalar, values.values.subarray(begin, begin + elementCount)),
  ]
}

function numberBytes(
  scalar: ScalarType,
  numbers: Float32Array | Float64Array | BigInt64Array,
): Uint8Array {
  switch (scalar) {
    case 'bool':
    case 'int8':
      return bytesOf(Int8Array.from(numbers, Number))
    case 'int16':
      return bytesOf(Int16Array.from(numbers, Number))
    case 'int32':
      return bytesOf(Int32Array.from(numbers, Number))
    default:
      return bytesOf(numbers)
  }
}

function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
}

function varintOf(value: number): Uint8Array {
  assert(value >= 0 && value < 2 ** 32, 'a count fits 32 bits')
  const bytes: number[] = []
  let left = value
  for (; left >= 128; left = Math.floor(left / 128)) bytes.push((left % 128) + 128)
  return Uint8Array.of(...bytes, left)
}
