/**
 * What tiers must know of a view's rows: how its layouts write versions, and its packing.
 */

import { stringPacking } from '../packing.js'
import type { FeatureView } from '../registry/snapshot.js'
import type { RowForm } from '../tiers/row-form.js'
import type { CompactVersion } from '../version-format.js'

/** The forms of a view's rows under its warm and its hot generation. */
export interface ViewRowForms {
  readonly warm: RowForm
  readonly hot: RowForm
}

/** Views are frozen values: a form is kept exactly as long as its view. */
const formsOfViews = new WeakMap<FeatureView, ViewRowForms>()

export function rowFormsOf(view: FeatureView): ViewRowForms {
  const known = formsOfViews.get(view)
  if (known !== undefined) return known
  const compact = new Map<number, CompactVersion>()
  let layoutIdMax = 0
  for (const { id, versionFormat } of view.layouts) {
    layoutIdMax = Math.max(layoutIdMax, id)
    if (versionFormat !== 'full') compact.set(id, versionFormat)
  }
  const versions = Object.freeze({ layoutIdMax, compact })
  const forms: ViewRowForms = Object.freeze({
    warm: Object.freeze({ packing: stringPacking, versions }),
    hot: Object.freeze({ packing: view.packing, versions }),
  })
  formsOfViews.set(view, forms)
  return forms
}
