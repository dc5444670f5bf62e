/**
 * Small LightGBM models whose scores tell which values they saw, in a model repository of their own.
 */
import { mkdirSync, mkdtempSync, renameSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** An empty model repository. */
export function createModelsFolder(): string {
  return mkdtempSync(join(tmpdir(), 'larder-models-'))
}

/** Puts a version's file in place in one step, so that no scan sees half of it. */
export function putModel(folder: string, name: string, version: number, text: string): void {
  putFile(join(folder, name, `${version}`), 'model.txt', text)
}

/** Puts a model's model.yaml in place. */
export function putModelYaml(folder: string, name: string, text: string): void {
  putFile(join(folder, name), 'model.yaml', text)
}

function putFile(folder: string, fileName: string, text: string): void {
  mkdirSync(folder, { recursive: true })
  const written = join(folder, `${fileName}.new`)
  writeFileSync(written, text)
  renameSync(written, join(folder, fileName))
}

/** What a row scores when any of its inputs is missing. */
export const missingScore = -1

/**
 * A model of one linear leaf: `constant` plus each input times its coefficient; `missingScore` where
 * any input is missing.
 */
export function sumModel(coefficients: Readonly<Record<string, number>>, constant = 0): string {
  const names = Object.keys(coefficients)
  return [
    'tree',
    'version=v4',
    'num_class=1',
    'num_tree_per_iteration=1',
    'label_index=0',
    `max_feature_idx=${names.length - 1}`,
    'objective=regression',
    `feature_names=${names.join(' ')}`,
    `feature_infos=${names.map(() => 'none').join(' ')}`,
    '',
    'Tree=0',
    'num_leaves=1',
    'num_cat=0',
    'split_feature=',
    'threshold=',
    'decision_type=',
    'left_child=',
    'right_child=',
    `leaf_value=${missingScore}`,
    'is_linear=1',
    `leaf_const=${constant}`,
    `num_features=${names.length}`,
    `leaf_features=${names.map((_, index) => index).join(' ')} `,
    `leaf_coeff=${Object.values(coefficients).join(' ')} `,
    'shrinkage=1',
    '',
    '',
    'end of trees',
    '',
    'pandas_categorical:null',
    '',
  ].join('\n')
}
