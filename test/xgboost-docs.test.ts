/** What docs/models/xgboost.md shows is what happens. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseXgboostModel } from '../src/predict/xgboost-model.js'
import { exampleXgboostText as text } from './support/xgboost-example.js'

const page = readFileSync(new URL('../docs/models/xgboost.md', import.meta.url), 'utf8')

test('its message is what a broken file gives', () => {
  const [message = ''] = /^XGBoost model, byte .*$/m.exec(page) ?? []
  const broken = text.replace('"left_children": [1, -1, 3', '"left_children": [1, -1, 0')
  expect(() => parseXgboostModel(Buffer.from(broken))).toThrow(expect.objectContaining({ message }))
})
