import { globSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { loadConfig } from '../../infra/config.ts'

/**
 * The folder with orders.csv and products.csv of the Northwind sample, for tests on real data. It is no part of the project:
 * `TALLY_NORTHWIND_DIR` says where it is, or it lies in `data/northwind` of a folder beside the project.
 */
export function findNorthwind(folder: string | undefined = loadConfig().northwindDir): string | undefined {
  const project = resolve(import.meta.dirname, '../..')
  const [found] = globSync(folder ? resolve(folder, 'orders.csv') : '../*/data/northwind/orders.csv', { cwd: project })
  return found && resolve(project, dirname(found))
}
