import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runCaptured } from '../../test/support/captured-io.js'
import { exampleModelText } from '../../test/support/lightgbm-example.js'

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larder-score-'))
  await writeFile(join(folder, 'model.txt'), exampleModelText)
})

afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

/** Scores `lines` with the example model: tree 0 splits on a, then on the category of c=d. */
async function score(lines: readonly string[], ...argv: string[]) {
  await writeFile(join(folder, 'rows.csv'), lines.join('\n'))
  return runCaptured(['model', 'score', 'model.txt', '--input', 'rows.csv', ...argv], {
    cwd: folder,
  })
}

const head = 'a,b,c=d'

test('raw scores are one line per row, in the shortest form', async () => {
  const { exitCode, stdout, stderr } = await score([head, '0.25,x,1.5', '1,y,true'], '--raw')
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  // Tree 0 gives 1 and -0.5; tree 1 is 0.125 + 2 a - 1 (code of c=d).
  expect(stdout).toBe('1.625\n0.625\n')
})

test('scores are transformed as the objective says', async () => {
  const { stdout } = await score([head, '0.25,x,1.5'])
  expect(Number(stdout)).toBeCloseTo(1 / (1 + Math.exp(-2 * 1.625)), 15)
})

test('--leaf prints the leaf of each tree', async () => {
  const { stdout } = await score([head, '0.25,x,1.5', '1,y,true'], '--leaf')
  expect(stdout).toBe('2,0\n1,0\n')
})

test('columns are matched by name; others are noted and not read', async () => {
  const { stdout, stderr } = await score(['note,c=d,b,a', '"hi, you",1.5,x,0.25'], '--raw')
  expect(stdout).toBe('1.625\n')
  expect(stderr).toBe('note: columns that the model does not read: note\n')
})

test('without a header columns are taken in order, and the first row counts', async () => {
  const { stdout } = await score(['0.25,x,1.5', '1,y,true'], '--raw', '--no-header')
  expect(stdout).toBe('1.625\n0.625\n')
})

test('cells may be missing or infinite, and so may scores', async () => {
  const rows = ['inf,x,true', '-inf,x,true', ',x,true', 'NaN,x,true']
  const { stdout } = await score([head, ...rows], '--raw')
  expect(stdout).toBe('inf\n-inf\n8.25\n8.25\n')
})

test('--json is one document', async () => {
  const { stdout } = await score([head, '0.25,x,1.5', 'inf,x,true'], '--raw', '--json')
  expect(JSON.parse(stdout)).toEqual({ rows: [[1.625], ['Infinity']] })
})

test('--output writes a file', async () => {
  const { stdout } = await score([head, '0.25,x,1.5'], '--raw', '--output', 'scores.csv')
  expect(stdout).toBe('')
  expect(await readFile(join(folder, 'scores.csv'), 'utf8')).toBe('1.625\n')
})

test('many rows keep their order over blocks', async () => {
  const rows = Array.from({ length: 10_000 }, (_, row) => `${row},x,1.5`)
  const { stdout } = await score([head, ...rows], '--leaf')
  const lines = stdout.trimEnd().split('\n')
  expect(lines.length).toBe(10_000)
  expect(lines.slice(0, 2)).toEqual(['2,0', '1,0'])
})

test.each([
  { lines: ['a,b', '1,x'], problem: 'column "c=d" is missing' },
  { lines: ['a,a,b,c=d', '1,1,x,1.5'], problem: 'column "a" is there twice' },
  { lines: ['A,b,c=d', '1,x,1.5'], problem: 'column "a" is missing: did you mean "A"?' },
  { lines: [head, '1,x,1.5', 'many,x,1.5'], problem: 'rows.csv:3: column "a": "many" is not' },
  { lines: [head, '1,x'], problem: 'rows.csv:2: the row has 2 cells, the first row 3' },
  { lines: [], problem: 'rows.csv is empty' },
])('$problem', async ({ lines, problem }) => {
  const { exitCode, stderr } = await score(lines)
  expect(exitCode).toBe(1)
  expect(stderr).toContain(problem)
})

test.each([
  { argv: ['model.txt', '--raw', '--leaf'], exitCode: 2, problem: 'exclude each other' },
  { argv: ['none.txt'], exitCode: 1, problem: 'none.txt cannot be read' },
  { argv: ['rows.csv'], exitCode: 1, problem: 'LightGBM model, byte' },
  { argv: ['model.txt', '--kernel', 'fast'], exitCode: 2, problem: "argument 'fast' is invalid" },
  { argv: ['model.txt', '--kind', 'tree'], exitCode: 2, problem: "argument 'tree' is invalid" },
])('score $argv fails with its reason', async ({ argv, exitCode, problem }) => {
  await writeFile(join(folder, 'rows.csv'), `${head}\n1,x,1.5\n`)
  const result = await runCaptured(['model', 'score', ...argv, '--input', 'rows.csv'], {
    cwd: folder,
  })
  expect(result.exitCode).toBe(exitCode)
  expect(result.stderr).toContain(problem)
})

test.each([
  ['--kernel', 'walk'],
  ['--kind', 'lightgbm'],
])('%s %s scores as it would without', async (...argv) => {
  const { stdout } = await score([head, '0.25,x,1.5', '1,y,true'], '--raw', ...argv)
  expect(stdout).toBe('1.625\n0.625\n')
})

test('a missing file of rows is told', async () => {
  const result = await runCaptured(['model', 'score', 'model.txt', '--input', 'none.csv'], {
    cwd: folder,
  })
  expect(result).toMatchObject({ exitCode: 1, stdout: '' })
  expect(result.stderr).toContain('none.csv cannot be read')
})
