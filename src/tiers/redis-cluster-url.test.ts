import { describe, expect, test } from 'vitest'
import { parseRedisClusterUrl, splitAddress } from './redis-cluster-url.js'

describe('the URL of a cluster', () => {
  const nobody = { username: undefined, password: undefined }
  test.each([
    { text: 'redis+cluster://h:1', url: { seeds: ['h:1'], ...nobody } },
    { text: 'REDIS+CLUSTER://h/', url: { seeds: ['h:6379'], ...nobody } },
    {
      text: 'redis+cluster://a:1,b:2,10.0.0.1:65535',
      url: { seeds: ['a:1', 'b:2', '10.0.0.1:65535'], ...nobody },
    },
    {
      text: 'redis+cluster://[::1]:7,[fe80::2]',
      url: { seeds: ['::1:7', 'fe80::2:6379'], ...nobody },
    },
    {
      text: 'redis+cluster://user:p%40ss@word@a:1,b:2',
      url: { seeds: ['a:1', 'b:2'], username: 'user', password: 'p@ss@word' },
    },
    {
      text: 'redis+cluster://:se:cret@a:1',
      url: { seeds: ['a:1'], username: undefined, password: 'se:cret' },
    },
  ])('$text is taken apart', ({ text, url }) => {
    expect(parseRedisClusterUrl(text)).toEqual(url)
  })

  const port = 'a node is HOST or HOST:PORT, with a port from 1 to 65535'
  test.each([
    {
      text: 'redis+cluster:h:1',
      problem: 'is not of the form redis+cluster://USER:PASSWORD@HOST:PORT,HOST:PORT',
    },
    { text: 'redis+cluster://', problem: `has the node ''; ${port}` },
    { text: 'redis+cluster://a:1,', problem: `has the node ''; ${port}` },
    { text: 'redis+cluster://a:0', problem: `has the node 'a:0'; ${port}` },
    { text: 'redis+cluster://a:65536', problem: `has the node 'a:65536'; ${port}` },
    { text: 'redis+cluster://a:x', problem: `has the node 'a:x'; ${port}` },
    { text: 'redis+cluster://a:1, b:2', problem: `has the node ' b:2'; ${port}` },
    { text: 'redis+cluster://::1:7', problem: `has the node '::1:7'; ${port}` },
    {
      text: 'redis+cluster://a:1/0',
      problem: 'has /0 behind its nodes; a cluster has one database and no parameters',
    },
    {
      text: 'redis+cluster://a:1?x=1',
      problem: 'has ?x=1 behind its nodes; a cluster has one database and no parameters',
    },
    {
      text: 'redis+cluster://u:%zz@a:1',
      problem: 'has a user or password that is not percent-encoded right',
    },
  ])('$text is refused', ({ text, problem }) => {
    expect(parseRedisClusterUrl(text)).toBe(problem)
  })
})

test.each([
  { address: 'h:1', host: 'h', port: 1 },
  { address: '::1:7000', host: '::1', port: 7000 },
])('$address is $host and $port', ({ address, host, port }) => {
  expect(splitAddress(address)).toEqual({ host, port })
})
