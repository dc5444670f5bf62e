/**
 * The options that every command shares.
 */
import type { Command } from 'commander'

/** Adds `--address`, `--config` and `--json` to a command that talks to a daemon. */
export function withDaemonOptions(command: Command): Command {
  return command
    .option('--address <host:port>', 'the daemon (default: LARDER_ADDRESS, then its address file)')
    .option('--config <file>', 'larder.yaml (default: LARDER_CONFIG, then ./larder.yaml)')
    .option('--json', 'print one JSON document')
}

/** Collects the values of an option that may be repeated. */
export function collect(value: string, previous: readonly string[]): string[] {
  return [...previous, value]
}
