import { expect, test } from 'vitest'
import { createModelUse } from './model-use.js'

function use() {
  const freed: string[] = []
  return { freed, counted: createModelUse(() => void freed.push('freed')) }
}

test('a model without calls is freed when it is closed, and once', () => {
  const { freed, counted } = use()
  counted.close()
  counted.close()
  expect(freed).toEqual(['freed'])
})

test('one with calls is freed when the last of them has ended, failed ones too', async () => {
  const { freed, counted } = use()
  const first = deferred()
  const second = deferred()
  const calls = [counted.during(() => first.promise), counted.during(() => second.promise)]
  counted.close()
  first.reject(new Error('no score'))
  await expect(calls[0]).rejects.toThrow('no score')
  expect(freed).toEqual([])
  second.resolve()
  await calls[1]
  expect(freed).toEqual(['freed'])
})

test('a closed model is not used', async () => {
  const { freed, counted } = use()
  counted.close()
  await expect(counted.during(async () => {})).rejects.toThrow('a closed model is not used')
  expect(freed).toEqual(['freed'])
})

function deferred() {
  let resolve = () => {}
  let reject = (_error: Error) => {}
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  return { promise, resolve: () => resolve(), reject: (error: Error) => reject(error) }
}
