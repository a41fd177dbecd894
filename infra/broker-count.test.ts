import { mkdtempSync, mkdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { loadConfig } from './config.ts'
import { loadStackConfig } from './stack/supervisor/data-dir.ts'
import { brokersOf, keepBrokers } from './broker-count.ts'

let dataDir: string
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'tally-brokers-'))
})
afterEach(() => rmSync(dataDir, { recursive: true }))
const wanting = (brokers?: number) => ({
  TALLY_DATA_DIR: dataDir,
  ...(brokers && { TALLY_BROKERS: String(brokers) }),
})

test('each broker has ports of its own, and all of them are where clients begin', () => {
  const { kafka } = loadConfig(wanting(3))
  const ports = kafka.nodes.flatMap(({ port, controllerPort }) => [port, controllerPort])
  expect(ports).toEqual([28_092, 28_093, 28_095, 28_096, 28_097, 28_098])
  expect(kafka.brokers).toEqual(['127.0.0.1:28092', '127.0.0.1:28095', '127.0.0.1:28097'])
  expect(loadConfig(wanting()).kafka.brokers).toEqual(['127.0.0.1:28092'])
})

test('a data folder keeps its number of brokers, and another number is refused', () => {
  expect(loadStackConfig(wanting(3)).kafka.nodes).toHaveLength(3)
  expect(loadStackConfig(wanting(1)).kafka.nodes).toHaveLength(1) // Nothing is stored yet
  keepBrokers(dataDir, 3)
  keepBrokers(dataDir, 1)
  expect(loadStackConfig(wanting()).kafka.nodes).toHaveLength(3)
  expect(loadStackConfig(wanting(3)).kafka.nodes).toHaveLength(3)
  expect(() => loadStackConfig(wanting(1))).toThrow(/has 3 Kafka brokers, and the number cannot be changed/)
})

test('a data folder without a stored number has one broker', () => {
  mkdirSync(join(dataDir, 'kafka', '4.3.1'), { recursive: true })
  expect(brokersOf(dataDir)).toBe(1)
})
