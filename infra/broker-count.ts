import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { TallyError } from './errors.ts'

const unfinished = 'brokers.new'

/** The number of embedded brokers of a data folder; undefined while Kafka has stored nothing in it. */
export function brokersOf(dataDir: string): number | undefined {
  const kafka = join(dataDir, 'kafka')
  const path = join(kafka, 'brokers')
  if (existsSync(path)) return Number(readFileSync(path, 'utf8'))
  const inUse = existsSync(kafka) && readdirSync(kafka).some((name) => name !== unfinished)
  return inUse ? 1 : undefined // Created by a version with a single broker
}

/** Keeps the number with the data. Call it before the first broker stores anything. */
export function keepBrokers(dataDir: string, count: number): void {
  if (brokersOf(dataDir) !== undefined) return
  mkdirSync(join(dataDir, 'kafka'), { recursive: true })
  const path = join(dataDir, 'kafka', unfinished)
  writeFileSync(path, String(count))
  renameSync(path, join(dataDir, 'kafka', 'brokers')) // A kill leaves the whole number or none
}

/** @throws TallyError USAGE if the data folder was made with another number of brokers than `wanted` */
export function assertBrokers(dataDir: string, wanted: number | undefined): void {
  const made = brokersOf(dataDir)
  if (wanted === undefined || made === undefined || made === wanted) return
  throw new TallyError(
    'USAGE',
    `${dataDir} has ${made} Kafka ${made === 1 ? 'broker' : 'brokers'}, and the number cannot be changed: omit it, set TALLY_DATA_DIR to another folder, or delete the data with \`npm run stack -- reset\``,
  )
}
