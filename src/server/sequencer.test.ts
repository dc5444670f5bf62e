import { describe, expect, test } from 'vitest'
import { createManualClock } from '../../test/support/manual-clock.js'
import { daemonIdsMax, futureBoundMs } from '../limits.js'
import { assertSequenceInBound, createSequencer } from './sequencer.js'

const startMs = Date.UTC(2026, 0, 1)
const epochMs = Date.UTC(2020, 0, 1)

const partsOf = (sequence: bigint) => ({
  ms: Number(sequence >> 22n) + epochMs,
  counter: Number((sequence >> 10n) & 0xfffn),
  daemonId: Number(sequence & 0x3ffn),
})

describe('sequences', () => {
  test('hold the time, a counter and the id', () => {
    const clock = createManualClock(startMs)
    const sequencer = createSequencer(clock, () => daemonIdsMax - 1)
    const daemonId = daemonIdsMax - 1
    expect(partsOf(sequencer.next())).toEqual({ ms: startMs, counter: 0, daemonId })
    expect(partsOf(sequencer.next())).toEqual({ ms: startMs, counter: 1, daemonId })
    clock.advance(2)
    expect(partsOf(sequencer.next())).toEqual({ ms: startMs + 2, counter: 0, daemonId })
  })

  test('only ever grow: more than a millisecond holds, and a clock that steps back', () => {
    const clock = createManualClock(startMs)
    const sequencer = createSequencer(clock, () => 5)
    const sequences: bigint[] = []
    for (let index = 0; index < 10_000; index++) {
      if (index === 5000) clock.stepTimeOfDay(-60_000)
      if (index === 7000) clock.advance(1)
      sequences.push(sequencer.next())
    }
    const grows = sequences.every((sequence, index) => sequence > (sequences[index - 1] ?? -1n))
    expect(grows).toBe(true)
  })

  test('take the id of the moment, which another lease may change', () => {
    let daemonId = 1
    const sequencer = createSequencer(createManualClock(startMs), () => daemonId)
    expect(partsOf(sequencer.next()).daemonId).toBe(1)
    daemonId = 2
    expect(partsOf(sequencer.next())).toMatchObject({ daemonId: 2, counter: 1 })
  })

  test('two daemons never make the same one', () => {
    const clock = createManualClock(startMs)
    const [one, two] = [0, 1].map((id) => createSequencer(clock, () => id))
    const made = Array.from({ length: 500 }, () => [one?.next(), two?.next()]).flat()
    expect(new Set(made).size).toBe(1000)
  })

  test('fit an int64 until 2089', () => {
    const clock = createManualClock(Date.UTC(2089, 0, 1))
    expect(createSequencer(clock, () => 1023).next()).toBeLessThan(2n ** 63n)
  })
})

describe('a sequence that a client brought', () => {
  const latest = BigInt(startMs - epochMs + futureBoundMs) << 22n

  test.each([1n, latest - 1n, latest])('%s is taken', (sequence) => {
    expect(() => assertSequenceInBound(sequence, startMs)).not.toThrow()
  })

  test.each([latest + 1n, 2n ** 63n, 2n ** 64n - 1n])('%s is refused', (sequence) => {
    expect(() => assertSequenceInBound(sequence, startMs)).toThrow(
      expect.objectContaining({
        code: 'invalid_argument',
        message:
          `sequence ${sequence} lies further in the future than 3600 s allow ` +
          `(at most ${latest} now): later writes would not show`,
      }),
    )
  })

  test('made here and now is taken', () => {
    const sequencer = createSequencer(createManualClock(startMs), () => 1023)
    expect(() => assertSequenceInBound(sequencer.next(), startMs)).not.toThrow()
  })
})
