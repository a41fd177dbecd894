import { existsSync, statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Finding } from '../../../infra/doctor/finding.ts'

/** Below this Kafka and PostgreSQL may stop within hours, bytes. */
const leastBytes = 2 * 2 ** 30
const leastShare = 0.05

/** Room on the disk of the data folder, which holds the embedded servers. */
export function checkDisk(dataDir: string): Finding[] {
  const { bavail, blocks, bsize } = statfsSync(nearest(dataDir))
  return judgeDisk(dataDir, { free: bavail * bsize, size: blocks * bsize })
}

/** Pure. Bytes. */
export function judgeDisk(dataDir: string, { free, size }: { free: number; size: number }): Finding[] {
  if (free >= leastBytes && free >= leastShare * size) return []
  const percent = Math.round((free / size) * 100)
  return [
    {
      area: 'disk',
      problem: `The disk of ${dataDir} has ${(free / 2 ** 30).toFixed(1)} GB free, ${percent} %`,
      cure: 'Free some, or set TALLY_DATA_DIR to a folder on another disk before the first start',
    },
  ]
}

/** The folder, or the nearest one above it that exists. */
const nearest = (path: string): string => (existsSync(path) ? path : nearest(dirname(path)))
