/**
 * A change that a plan tells: one line for people, with fields for programs.
 */

export type ChangeAction = 'add' | 'drop' | 'change' | 'refused'
export type ChangeKind = 'entity' | 'feature view' | 'feature' | 'feature service'

export interface Change {
  readonly action: ChangeAction
  readonly kind: ChangeKind
  /** `view`, `view.feature` and so on. */
  readonly name: string
  /** Empty where there was nothing, and where there will be nothing. */
  readonly before: string
  readonly after: string
  /** What it does to rows and requests: what becomes unreadable, and when it takes effect. */
  readonly effect: string
  /** Needs `allowDrop`. */
  readonly destructive: boolean
}

/** A change with what it lacks filled in; drops are destructive, nothing else is. */
export function describeChange(
  change: Pick<Change, 'action' | 'kind' | 'name' | 'effect'> &
    Partial<Pick<Change, 'before' | 'after'>>,
): Change {
  return Object.freeze({ before: '', after: '', ...change, destructive: change.action === 'drop' })
}
