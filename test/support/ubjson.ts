/**
 * Values -> UBJSON as XGBoost writes it, for tests: counted arrays, typed ones for lists of numbers,
 * 64-bit lengths, texts for everything else. Integers take the smallest width that holds them.
 */

/** The bytes of `value`. A list of numbers is one of float32s unless all are integers. */
export function encodeUbjson(value: unknown): Uint8Array {
  return Buffer.concat([...parts(value)])
}

function* parts(value: unknown): Generator<Buffer> {
  if (typeof value === 'string') {
    yield Buffer.from('S')
    yield* textParts(value)
  } else if (typeof value === 'number') {
    yield Number.isSafeInteger(value) && !Object.is(value, -0) ? integer(value) : float(value)
  } else if (typeof value === 'boolean') {
    yield Buffer.from(value ? 'T' : 'F')
  } else if (Array.isArray(value)) {
    yield* arrayParts(value)
  } else if (typeof value === 'object' && value !== null) {
    yield Buffer.from('{')
    for (const [key, member] of Object.entries(value)) {
      yield* textParts(key)
      yield* parts(member)
    }
    yield Buffer.from('}')
  } else {
    yield Buffer.from('Z')
  }
}

function* textParts(text: string): Generator<Buffer> {
  const bytes = Buffer.from(text)
  yield length(bytes.length)
  yield bytes
}

function* arrayParts(items: readonly unknown[]): Generator<Buffer> {
  const numbers = items.filter((item) => typeof item === 'number')
  const isTyped = numbers.length === items.length && items.length > 0
  const isFloat = isTyped && numbers.some((item) => !Number.isSafeInteger(item))
  if (!isTyped) {
    yield Buffer.from('[#')
    yield length(items.length)
    for (const item of items) yield* parts(item)
    return
  }
  const bytes = Buffer.alloc(items.length * (isFloat ? 4 : 8))
  numbers.forEach((item, i) => {
    if (isFloat) bytes.writeFloatBE(item, 4 * i)
    else bytes.writeBigInt64BE(BigInt(item), 8 * i)
  })
  yield Buffer.from(isFloat ? '[$d#' : '[$L#')
  yield length(items.length)
  yield bytes
}

function length(count: number): Buffer {
  const bytes = Buffer.alloc(9)
  bytes.write('L')
  bytes.writeBigInt64BE(BigInt(count), 1)
  return bytes
}

function integer(value: number): Buffer {
  if (value >= -128 && value <= 127) return Buffer.from(Int8Array.of('i'.charCodeAt(0), value))
  const bytes = Buffer.alloc(value >= -(2 ** 31) && value < 2 ** 31 ? 5 : 9)
  bytes.write(bytes.length === 5 ? 'l' : 'L')
  if (bytes.length === 5) bytes.writeInt32BE(value, 1)
  else bytes.writeBigInt64BE(BigInt(value), 1)
  return bytes
}

function float(value: number): Buffer {
  const bytes = Buffer.alloc(5)
  bytes.write('d')
  bytes.writeFloatBE(value, 1)
  return bytes
}
