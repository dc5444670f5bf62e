/**
 * The address file: how the CLI finds the daemon that runs on a data folder.
 */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface DaemonAddress {
  readonly grpc: string
  readonly http: string
  readonly pid: number
}

/** The file's name in a daemon's data folder. */
export const addressFileName = 'address.json'

/** Writes the address whole or not at all. Returns the function that takes it away again. */
export async function writeAddressFile(
  dataFolder: string,
  address: DaemonAddress,
): Promise<() => Promise<void>> {
  const path = join(dataFolder, addressFileName)
  const text = `${JSON.stringify(address)}\n`
  await mkdir(dataFolder, { recursive: true })
  await writeFile(`${path}.${address.pid}.tmp`, text)
  await rename(`${path}.${address.pid}.tmp`, path)
  return async () => {
    // Another daemon may have taken the folder over: its address stays.
    const current = await readFile(path, 'utf8').catch(() => undefined)
    if (current === text) await rm(path, { force: true })
  }
}
