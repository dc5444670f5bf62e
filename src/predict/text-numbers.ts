/**
 * Numbers for texts: equal texts are equal numbers, in all lists of one model in one request.
 *
 * The first text that is met is 0, the next new one 1, and so on. The numbers mean nothing beyond that:
 * another request gives other ones.
 */
export interface TextNumbers {
  /** The number of the text whose UTF-8 bytes are `data` from `start` to `end`. */
  numberOf(data: Buffer, start: number, end: number): number
  numberOfText(text: string): number
  /** The texts so far: the one of number n is at n. */
  list(): readonly string[]
}

export function createTextNumbers(): TextNumbers {
  // By the text's bytes as latin1, which is quicker to make than the text and tells as much.
  const numbers = new Map<string, number>()
  const numberOf = (key: string) => {
    const known = numbers.get(key)
    if (known !== undefined) return known
    const number = numbers.size
    numbers.set(key, number)
    return number
  }
  return {
    numberOf: (data, start, end) => numberOf(data.toString('latin1', start, end)),
    numberOfText: (text) => numberOf(Buffer.from(text, 'utf8').toString('latin1')),
    list: () => Array.from(numbers.keys(), (key) => Buffer.from(key, 'latin1').toString('utf8')),
  }
}
