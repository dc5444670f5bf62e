/**
 * The kinds of model there are.
 */
export const modelKinds = [
  'lightgbm',
  'xgboost',
  'linear',
  'logistic',
  'composite',
  'onnx',
] as const
export type ModelKind = (typeof modelKinds)[number]
