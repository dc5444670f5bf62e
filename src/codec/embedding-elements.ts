/**
 * What embeddings are stored as: binary16 for `f16`, steps of a scale for `int8`.
 *
 * The native codec does this for rows; here it serves to learn from a sample how the stored elements are
 * best written. The rules are those of `docs/formats/row-v1.md`.
 */
import { assert } from '../assert.js'
import type { ScalarValues } from '../column.js'

const floatWord = new Float32Array(1)
const bitsWord = new Uint32Array(floatWord.buffer)

/** The binary16 nearest to `value`, of two equally near the even one; NaN and infinities as such. */
export function halfBitsOf(value: number): number {
  floatWord[0] = value
  const bits = bitsWord[0] ?? 0
  const sign = (bits >>> 31) << 15
  const magnitude = bits & 0x7fff_ffff
  if (magnitude > 0x7f80_0000) return sign | 0x7e00
  // From 65520 on the nearest is infinite.
  if (magnitude >= 0x477f_f000) return sign | 0x7c00
  if (magnitude < 0x3880_0000) return sign | roundEven(Math.abs(floatWord[0]) * 2 ** 24)
  const rebased = magnitude - 0x3800_0000
  return sign | roundEven(rebased / 2 ** 13)
}

/** To the nearest whole number, of two equally near the even one. */
function roundEven(value: number): number {
  const floor = Math.floor(value)
  const over = value - floor
  return over > 0.5 || (over === 0.5 && floor % 2 === 1) ? floor + 1 : floor
}

/** What the elements of a `f16` or `int8` embedding are stored as: bits of halves, or steps. */
export function storedElements(
  storage: 'f16' | 'int8',
  elements: Float32Array,
): ArrayLike<number> & Iterable<number> {
  return storage === 'f16' ? Uint16Array.from(elements, halfBitsOf) : int8StepsOf(elements)
}

/** The elements of one embedding: a view. */
export function floatsOf(
  values: ScalarValues,
  { begin, elementCount }: { readonly begin: number; readonly elementCount: number },
): Float32Array {
  assert(values.class === 'f32', 'embeddings hold float32')
  return values.values.subarray(begin, begin + elementCount)
}

/** An `int8` embedding's scale: its elements are stored in steps of it. */
export function int8ScaleOf(elements: Float32Array): number {
  const magnitudeMax = elements.reduce((most, element) => Math.max(most, Math.abs(element)), 0)
  const scale = Math.fround(magnitudeMax / 127)
  if (Number.isFinite(Math.fround(scale * 127))) return scale
  // One float lower, where 127 steps would be infinite.
  floatWord[0] = scale
  bitsWord[0] = (bitsWord[0] ?? 0) - 1
  return floatWord[0]
}

/** Elements in units of their scale, rounded half away from zero. */
export function int8StepsOf(elements: Float32Array): Int8Array {
  const scale = int8ScaleOf(elements)
  if (scale === 0) return new Int8Array(elements.length)
  return Int8Array.from(elements, (element) => {
    const step = Math.min(127, Math.floor(Math.abs(element / scale) + 0.5))
    return Math.sign(element) * step
  })
}
