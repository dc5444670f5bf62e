/**
 * A Redis Cluster's URL: `redis+cluster://[USER:PASSWORD@]HOST:PORT[,HOST:PORT…]`. Pure.
 *
 * The nodes it names are where to ask first; the cluster itself tells the others.
 */

/** What a cluster's URL says. */
export interface RedisClusterUrl {
  /** `host:port`, at least one. */
  readonly seeds: readonly string[]
  readonly username: string | undefined
  readonly password: string | undefined
}

const form = 'redis+cluster://USER:PASSWORD@HOST:PORT,HOST:PORT'
const defaultPort = 6379
const portMax = 65_535

/** Takes `text` apart; a string is what is wrong with it. */
export function parseRedisClusterUrl(text: string): RedisClusterUrl | string {
  const [, userInfo, hosts, rest] =
    /^redis\+cluster:\/\/(?:([^/]*)@)?([^/?#@]*)(.*)$/i.exec(text) ?? []
  if (hosts === undefined) return `is not of the form ${form}`
  if (rest !== '' && rest !== '/') {
    return `has ${rest} behind its nodes; a cluster has one database and no parameters`
  }
  const seeds = hosts.split(',').map(parseSeed)
  const bad = seeds.indexOf(undefined)
  if (bad !== -1) {
    const shown = hosts.split(',')[bad]
    return `has the node '${shown}'; a node is HOST or HOST:PORT, with a port from 1 to ${portMax}`
  }
  const user = parseUserInfo(userInfo ?? '')
  if (user === undefined) return 'has a user or password that is not percent-encoded right'
  return { seeds: seeds.filter((seed) => seed !== undefined), ...user }
}

/** Takes `host:port` apart at its last colon: an IPv6 host has more. */
export function splitAddress(address: string): { readonly host: string; readonly port: number } {
  const colon = address.lastIndexOf(':')
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) }
}

function parseSeed(text: string): string | undefined {
  const [, inBrackets, name, digits] =
    /^(?:\[([0-9a-f:.]+)\]|([^\s[\]:]+))(?::(\d{1,5}))?$/i.exec(text) ?? []
  const host = inBrackets ?? name
  const port = digits === undefined ? defaultPort : Number(digits)
  return host === undefined || port < 1 || port > portMax ? undefined : `${host}:${port}`
}

function parseUserInfo(text: string): Pick<RedisClusterUrl, 'username' | 'password'> | undefined {
  const colon = text.indexOf(':')
  const [username, password] =
    colon === -1 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)]
  try {
    return { username: decoded(username), password: decoded(password) }
  } catch {
    return undefined
  }
}

/** Undefined where empty: Redis then takes its user `default`. Throws where `text` is malformed. */
function decoded(text: string): string | undefined {
  return text === '' ? undefined : decodeURIComponent(text)
}
