/**
 * What a fetch and a store tell about themselves, for metrics and logs.
 */
export type TierRole = 'hot' | 'warm'

export interface TierObserver {
  tierRead(
    role: TierRole,
    read: { readonly keyCount: number; readonly rowCount: number; readonly durationMs: number },
  ): void
  tierWritten(
    role: TierRole,
    write: { readonly rowCount: number; readonly storedCount: number; readonly durationMs: number },
  ): void
  tierFailed(role: TierRole, error: Error): void
  /** Rows copied from warm into hot, or why not. */
  filled(outcome: 'stored' | 'late' | 'failed', rowCount: number): void
}
