/**
 * Assertions: for bugs in Larder itself, never for bad input.
 *
 * What the world may get wrong (a request, a file, a tier) is a `LarderError`. What only our own code
 * could get wrong stops here, loudly, before it can spread.
 */

/** Thrown when Larder's own code broke one of its rules. */
class AssertionError extends Error {
  override readonly name = 'AssertionError'
}

/** Throws unless `condition` holds. `message` says which rule was broken. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message)
}

/** Marks the end of an exhaustive switch: a new member of the union does not compile. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable: ${JSON.stringify(value)}`)
}
