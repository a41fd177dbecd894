import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { environmentWithoutServers, loadConfig } from '../../config.ts'
import type { Admin } from 'kafkajs'
import { withAdmin } from '../../kafka/admin.ts'
import { createKafka } from '../../kafka/client.ts'
import { silentLogger } from '../../logger.ts'

const portBase = 24_700
/** What lists, properties files, argument files, addresses and shells take for more than a letter. */
const name = `Größe 日本 😀 "a" 'b' \\c %20 $HOME \`id\` #;:,!*[x]{y}=z&~ `

let folder: string
let dataDir: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tally-path-'))
  chmodSync(folder, 0o755) // Else PostgreSQL's files would be elsewhere: another user runs it where the test runs as root
  dataDir = join(folder, name)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** In the C locale, programs that do not care read no letters but those of ASCII. */
const environment = () => ({
  ...environmentWithoutServers(),
  ...{ TALLY_DATA_DIR: dataDir, TALLY_PORT_BASE: String(portBase), LC_ALL: 'C' },
})

const launch = (...args: string[]) =>
  spawn(process.execPath, ['scripts/stack.ts', ...args], { env: environment(), stdio: ['ignore', 'pipe', 'pipe'] })

/** Starts PostgreSQL, Kafka and the registry, and stops them after `work`. */
async function onServers(work: () => Promise<void>): Promise<void> {
  const servers = launch('servers')
  const ended = once(servers, 'exit')
  let said = ''
  const started = new Promise<void>((resolve) =>
    servers.stderr.setEncoding('utf8').on('data', (part: string) => {
      said += part
      if (said.includes('Ctrl-C stops them')) resolve()
    }),
  )
  await Promise.race([started, ended])
  if (servers.exitCode !== null) throw new Error(said)
  try {
    await work()
  } finally {
    servers.kill('SIGTERM')
    await ended
  }
}

async function withAdminOf<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
  return withAdmin(createKafka({ servers: loadConfig(environment()).kafka, clientId: 'test', log: silentLogger }), work)
}

test('the servers keep their data in a folder of any name, also in the C locale, and a reset finds it', async () => {
  await onServers(() =>
    withAdminOf(async (admin) => {
      await admin.createTopics({ topics: [{ topic: 'kept', numPartitions: 1 }] })
    }),
  )
  await onServers(() => withAdminOf(async (admin) => expect(await admin.listTopics()).toContain('kept')))
  expect(readdirSync(folder)).toEqual([name])
  expect(readdirSync(dataDir)).toEqual(expect.arrayContaining(['kafka', 'postgres']))
  const reset = launch('reset', '--yes')
  const output = text(reset.stderr)
  await once(reset, 'exit')
  expect(await output).toContain('is deleted')
  expect(readdirSync(dataDir)).toEqual([])
}, 600_000)
