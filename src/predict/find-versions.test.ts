import { mkdir, mkdtemp, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { modelFolderFilesMax } from '../limits.js'
import { findModels, findVersion } from './find-versions.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larder-find-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true })
})

async function put(path: string, text = 'x') {
  await mkdir(join(folder, path, '..'), { recursive: true })
  await writeFile(join(folder, path), text)
}

const found = async () =>
  ((await findModels(folder)) ?? []).map(({ name, versions, yamlStamp }) => ({
    name,
    hasYaml: yamlStamp !== undefined,
    versions: versions.map(({ version, files }) => [version, ...files]),
  }))

test('a folder that is not there is told apart from an empty one', async () => {
  expect(await findModels(join(folder, 'none'))).toBeUndefined()
  expect(await findModels(folder)).toEqual([])
})

test('names, versions in the order of their numbers, and files', async () => {
  await put('sales/model.yaml')
  await put('sales/10/model.txt')
  await put('sales/9/model.txt')
  await put('sales/9/parts/a.bin')
  await put('sales/9/.hidden')
  await put('sales/9/b.bin.part')
  await put('sales/latest/model.txt')
  await put('sales/11.tmp/model.txt')
  await put('sales/1000000000000000/model.txt')
  await mkdir(join(folder, 'sales/12'))
  await put('bad-name/1/model.txt')
  await put('loose.txt')
  expect(await found()).toEqual([
    {
      name: 'sales',
      hasYaml: true,
      versions: [
        ['9', 'model.txt', 'parts/a.bin'],
        ['10', 'model.txt'],
      ],
    },
  ])
})

test('links are followed, also to whole versions, and a circle of them ends', async () => {
  await put('store/model.txt')
  await mkdir(join(folder, 'sales'))
  await symlink('../store', join(folder, 'sales/1'))
  await symlink('.', join(folder, 'store/loop'))
  await symlink('gone', join(folder, 'store/dangling'))
  const [, { versions } = { versions: [] }] = (await found()).toReversed()
  expect(versions[0]?.slice(0, 3)).toEqual(['1', 'loop/loop/loop/model.txt', 'loop/loop/model.txt'])
})

test("MLflow's folder of a model is version 1, unless it has versions", async () => {
  await put('sales/MLmodel')
  await put('sales/model.lgb')
  expect(await found()).toEqual([
    { name: 'sales', hasYaml: false, versions: [['1', 'MLmodel', 'model.lgb']] },
  ])
  await put('sales/2/model.txt')
  expect((await found())[0]?.versions).toEqual([['2', 'model.txt']])
})

test('any change of a file changes the stamp', async () => {
  const stamp = async () => (await findVersion('sales', '1', join(folder, 'sales/1')))?.stamp
  const at = (seconds: number) => utimes(join(folder, 'sales/1/model.txt'), seconds, seconds)
  await put('sales/1/model.txt')
  await at(1)
  const first = await stamp()
  expect(await stamp()).toBe(first)
  await put('sales/1/model.txt', 'xx')
  await at(1)
  const longer = await stamp()
  await at(2)
  const later = await stamp()
  await put('sales/1/other', 'xx')
  const more = await stamp()
  await put('other', 'xx')
  await utimes(join(folder, 'other'), 2, 2)
  await rename(join(folder, 'other'), join(folder, 'sales/1/model.txt'))
  const replaced = await stamp()
  await rm(join(folder, 'sales/1'), { recursive: true })
  expect(await stamp()).toBeUndefined()
  expect(new Set([first, longer, later, more, replaced]).size).toBe(5)
})

test('a folder of very many files is not listed to its end', async () => {
  for (let file = 0; file < modelFolderFilesMax + 9; file++) await put(`sales/1/f${file}`)
  const version = await findVersion('sales', '1', join(folder, 'sales/1'))
  expect(version?.files.length).toBe(modelFolderFilesMax + 1)
})
