import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { plotSeries } from './plot-series.ts'
import { plot } from './plot.ts'
import type { Report } from './report.ts'

/** Not in git: figures depend on the machine. */
export const resultsDir = resolve(import.meta.dirname, '../../../bench-results')

/** Writes `<time>-<benchmark>.json` and `.svg`. @returns the path without extension */
export function keepReport(report: Report, folder: string): string {
  mkdirSync(folder, { recursive: true })
  const path = join(folder, `${report.takenAt.replaceAll(/[:.]/g, '-')}-${report.benchmark}`)
  writeFileSync(`${path}.json`, `${JSON.stringify(report, null, 2)}\n`)
  writeFileSync(`${path}.svg`, plotSeries(report) ?? plot(report))
  return path
}
