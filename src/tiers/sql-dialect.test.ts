import { expect, test } from 'vitest'
import { loadMigrations } from './migrate.js'
import { dialectOfVersion, rowStatements, sqlDialects } from './sql-dialect.js'

test.each(Object.values(sqlDialects))(
  'the texts of $name are what was reviewed',
  async (dialect) => {
    const schema = loadMigrations().flatMap(({ name, statements }) => [
      `-- migration ${name}`,
      ...[...statements, ...(dialect.ddlAfter[name] ?? [])].map((statement) => `${statement};`),
    ])
    const { reclaim, stats, durability } = dialect
    const statements = Object.entries({ ...rowStatements, reclaim, stats, durability })
    const texts = statements.map(([name, text]) => `-- ${name}\n${text ?? '(none)'}`)
    const golden = `../../test/golden/sql/${dialect.name}.sql`
    await expect(`${[...schema, ...texts].join('\n\n')}\n`).toMatchFileSnapshot(golden)
  },
)

test.each([
  {
    version: 'CockroachDB CCL v25.4.0 (x86_64-pc-linux-gnu, built 2025/11/03)',
    name: 'cockroachdb',
  },
  {
    version: 'PostgreSQL 15.18 (Debian 15.18-0+deb12u1) on x86_64-pc-linux-gnu',
    name: 'postgresql',
  },
])('$name is told by its version', ({ version, name }) => {
  expect(dialectOfVersion(version).name).toBe(name)
})
