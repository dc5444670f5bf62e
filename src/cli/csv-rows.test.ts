import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readCsvRows } from './csv-rows.js'

async function cellsOf(pieces: readonly string[]): Promise<(readonly string[])[]> {
  return (await readCsvRows('rows.csv', pieces)).map((row) => row.cells)
}

test.each([
  {
    text: 'a,b\n1,2\n',
    rows: [
      ['a', 'b'],
      ['1', '2'],
    ],
  },
  {
    text: 'a,b\r\n1,2\r\n',
    rows: [
      ['a', 'b'],
      ['1', '2'],
    ],
  },
  {
    text: 'a,b\n1,2',
    rows: [
      ['a', 'b'],
      ['1', '2'],
    ],
  },
  {
    text: 'a,b\n,\n',
    rows: [
      ['a', 'b'],
      ['', ''],
    ],
  },
  { text: 'a\n""\n', rows: [['a'], ['']] },
  { text: 'a\n\n\n1\n', rows: [['a'], ['1']] },
  { text: '"a,""b""\n",c\n', rows: [['a,"b"\n', 'c']] },
  { text: '"x\r\ny"\n', rows: [['x\r\ny']] },
  { text: '', rows: [] },
])('$text is read', async ({ text, rows }) => {
  expect(await cellsOf([text])).toEqual(rows)
})

test('rows know the line they start in, also after quoted line ends', async () => {
  const rows = await readCsvRows('rows.csv', ['a\n"1\n2"\n\n3\n'])
  expect(rows.map((row) => row.lineNumber)).toEqual([1, 2, 5])
})

test.each([
  { text: 'a,b\n1\n', problem: 'rows.csv:2: the row has 1 cells, the first row 2' },
  { text: 'a\n"1\n', problem: 'rows.csv:2: a quoted cell is never closed' },
  { text: 'a\n"1"x\n', problem: 'rows.csv:2: "x" follows a closing quote' },
  { text: 'a\nx"1"\n', problem: 'rows.csv:2: a quote stands inside a bare cell' },
  { text: 'a\n1\r2\n', problem: 'rows.csv:2: a carriage return stands alone' },
  { text: 'a\n1\r', problem: 'rows.csv:2: a carriage return stands alone' },
])('$text is refused', async ({ text, problem }) => {
  await expect(cellsOf([text])).rejects.toThrow(problem)
})

test('any cells survive, however the text is cut into pieces', async () => {
  const cell = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r', 'é') })
  const table = fc
    .integer({ min: 1, max: 4 })
    .chain((width) => fc.array(fc.array(cell, { minLength: width, maxLength: width })))
  let runCount = 0
  await fc.assert(
    fc.asyncProperty(table, fc.integer({ min: 1, max: 5 }), async (rows, pieceChars) => {
      const quoted = rows.map((row) => row.map((text) => `"${text.replaceAll('"', '""')}"`))
      const text = quoted.map((row) => `${row.join(',')}\n`).join('')
      const pieces = text.match(new RegExp(`[^]{1,${pieceChars}}`, 'g')) ?? []
      expect(await cellsOf(pieces)).toEqual(rows)
      runCount += 1
    }),
    { seed: 20010615 },
  )
  expect(runCount).toBeGreaterThan(0)
})
