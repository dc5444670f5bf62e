import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { writeAddressFile } from './address-file.js'

const address = { grpc: '127.0.0.1:7001', http: '127.0.0.1:7002', pid: 42 }

let parent: string
let folder: string
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'larder-address-'))
  folder = join(parent, 'data')
})
afterEach(async () => {
  await rm(parent, { recursive: true })
})

const read = async () => JSON.parse(await readFile(join(folder, 'address.json'), 'utf8'))

test('is there while the daemon is, alone in a folder that need not exist', async () => {
  const remove = await writeAddressFile(folder, address)
  expect(await read()).toEqual(address)
  expect(await readdir(folder)).toEqual(['address.json'])
  await remove()
  expect(await readdir(folder)).toEqual([])
  await expect(remove()).resolves.toBeUndefined()
})

test('of a daemon that took the folder over stays', async () => {
  const remove = await writeAddressFile(folder, address)
  const other = { ...address, pid: 43 }
  await writeAddressFile(folder, other)
  await remove()
  expect(await read()).toEqual(other)
})

test('cannot be written where the folder is a file: that is told', async () => {
  await writeFile(folder, '')
  await expect(writeAddressFile(folder, address)).rejects.toMatchObject({ code: 'EEXIST' })
})
