/**
 * The kernels that trees can run in; `auto` takes what a short look at a model finds fastest. All of
 * them give the same bits.
 */
export const treeKernels = [
  'auto',
  'walk',
  'bitmask-portable',
  'bitmask-avx2',
  'bitmask-avx512',
] as const
export type TreeKernel = (typeof treeKernels)[number]
