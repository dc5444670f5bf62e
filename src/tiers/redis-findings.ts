/**
 * What an operator should know of a Redis in the hot role, read from its INFO. Pure.
 */

/** The oldest version whose commands and expiry this tier was built for. */
const oldestVersion = { major: 6, minor: 2 } as const

/** `redis 7.0.15`, from INFO's text. */
export function serverVersionOf(info: string): string {
  return `redis ${field(info, 'redis_version') ?? 'of unknown version'}`
}

/** Bytes that the server has allocated; 0 where INFO does not say. */
export function usedMemoryOf(info: string): number {
  return Number(field(info, 'used_memory') ?? 0)
}

/** What is wrong with the server for a hot tier of `shardCount`; empty where nothing is. */
export function redisFindings(info: string, shardCount: number): string[] {
  const findings: string[] = []
  const version = field(info, 'redis_version') ?? ''
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (
    major < oldestVersion.major ||
    (major === oldestVersion.major && minor < oldestVersion.minor)
  ) {
    findings.push(`redis ${version} is older than ${oldestVersion.major}.${oldestVersion.minor}`)
  }
  const policy = field(info, 'maxmemory_policy')
  if (policy !== undefined && policy !== 'noeviction') {
    findings.push(
      `maxmemory-policy is ${policy}: resident rows may be evicted; set it to noeviction`,
    )
  }
  if (field(info, 'role') === 'slave') {
    findings.push('the server is a replica: writes will be refused; name its primary')
  }
  if (shardCount === 1 && field(info, 'redis_mode') === 'cluster') {
    findings.push(
      'the server is in a cluster, and keys of other nodes are refused: write redis+cluster://',
    )
  }
  return findings
}

function field(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1]
}
