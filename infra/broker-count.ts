import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { TallyError } from './errors.ts'

/** The number of embedded brokers of a data folder; undefined while Kafka has stored nothing in it. */
export function brokersOf(dataDir: string): number | undefined {
  const kafka = join(dataDir, 'kafka')
  try {
    return Number(readFileSync(join(kafka, 'brokers'), 'utf8'))
  } catch {
    return existsSync(kafka) && readdirSync(kafka).length > 0 ? 1 : undefined // Created by a version with a single broker
  }
}

/** Keeps the number with the data. Call it before the first broker stores anything. */
export function keepBrokers(dataDir: string, count: number): void {
  if (brokersOf(dataDir) !== undefined) return
  mkdirSync(join(dataDir, 'kafka'), { recursive: true })
  writeFileSync(join(dataDir, 'kafka', 'brokers'), String(count))
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
