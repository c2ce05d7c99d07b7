import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { temporaryFolder } from '../../test/support/run-folder.ts'

/** Installs a package for this run only. @returns the URL of the module it names as its main one */
export const installPeer = (name: string, version: string): string => {
  const folder = temporaryFolder('peer')
  const args = ['install', '--prefix', folder, '--no-audit', '--no-fund', '--ignore-scripts']
  const { status, stderr } = spawnSync('npm', [...args, `${name}@${version}`], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${name} could not be installed: ${stderr}`)
  return import.meta.resolve(pathToFileURL(join(folder, 'node_modules', name, 'lib/index.js')).href)
}
