import { globSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { loadConfig } from '../../infra/config.ts'

/**
 * The folder with orders.csv and products.csv of the Northwind sample, for tests on real data. The sample is not part of the
 * project: `TALLY_NORTHWIND_DIR` names its folder; by default it is `data/northwind` in a folder beside the project.
 */
export function findNorthwind(folder: string | undefined = loadConfig().northwindDir): string | undefined {
  const project = resolve(import.meta.dirname, '../..')
  const [found] = globSync(folder ? resolve(folder, 'orders.csv') : '../*/data/northwind/orders.csv', { cwd: project })
  return found && resolve(project, dirname(found))
}
