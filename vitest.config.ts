import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'bench/**/*.test.ts'],
    // A test that asserts nothing proves nothing.
    expect: { requireAssertions: true },
    // The addon and real servers are used by most files: processes, not threads, keep them apart.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    globalSetup: ['test/support/servers.setup.ts'],
  },
})
