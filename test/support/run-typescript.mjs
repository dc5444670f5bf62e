/**
 * Runs a TypeScript module in a process of its own, as vitest would load it: for tests that kill one.
 *
 * Usage: node run-typescript.mjs MODULE ARGUMENTS…
 */
import { runnerImport } from 'vite'

await runnerImport(process.argv[2], { logLevel: 'error', configFile: false })
