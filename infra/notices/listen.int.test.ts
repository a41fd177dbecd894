import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { createServer, connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import { createSandbox } from '../../schemas/testing/sandbox.ts'
import type { Sandbox } from '../../schemas/testing/sandbox.ts'
import { createPool } from '../postgres/pool.ts'
import type { Pool } from '../postgres/pool.ts'
import { waitUntil } from '../testing/wait-until.ts'
import { listen } from './listen.ts'

let sandbox: Sandbox
let pool: Pool
beforeAll(() => {
  sandbox = createSandbox()
  pool = createPool({ url: sandbox.config.postgres.url, name: 'notices', log: sandbox.log })
})
afterAll(async () => {
  await pool.end()
  await sandbox.close()
})

function start(name: string, url = sandbox.config.postgres.url, proveEveryMs = 60_000) {
  const schema = `${sandbox.namespace}${name}`
  const listening = listen({ url, schema, pool, name, log: sandbox.log, proveEveryMs, proveWithinMs: 1_000 })
  const seen = { told: 0 }
  listening.subscribe(() => seen.told++)
  return { schema, listening, seen, [Symbol.asyncDispose]: () => listening.stop() }
}

const backends = async (name: string): Promise<number[]> =>
  (
    await pool.query<{ pid: number }>('select pid from pg_stat_activity where application_name = $1', [
      `${name} listens`,
    ])
  ).rows.map(({ pid }) => pid)

test('hears what another connection tells its schema, and no other', async () => {
  await using own = start('own')
  await waitUntil('it to hear', async () => own.listening.heard)
  const before = own.seen.told
  await pool.query(`select pg_notify($1, '')`, [`${own.schema}-other`])
  await pool.query(`select pg_notify($1, '')`, [own.schema])
  await waitUntil('the notice', async () => own.seen.told > before)
  expect(own.seen.told).toBe(before + 1)
})

test('a lost connection is seen and made again, and whoever listens is told to look', async () => {
  await using own = start('lost')
  await waitUntil('it to hear', async () => own.listening.heard)
  const deaf: boolean[] = []
  own.listening.subscribe(() => deaf.push(!own.listening.heard))
  const [pid] = await backends('lost')
  await pool.query('select pg_terminate_backend($1)', [pid])
  await waitUntil('it to hear again', async () => deaf.length > 1 && own.listening.heard)
  expect(deaf.slice(0, 1)).toEqual([true])
  expect(deaf.at(-1)).toBe(false)
  const [again] = await backends('lost')
  expect(again).not.toBe(pid)
  const before = own.seen.told
  await pool.query(`select pg_notify($1, '')`, [own.schema])
  await waitUntil('the notice', async () => own.seen.told > before)
})

test('a connection over which no notices arrive does not count as heard', async () => {
  await using mute = await muteNotices(Number(new URL(sandbox.config.postgres.url).port))
  const url = new URL(sandbox.config.postgres.url)
  url.port = String(mute.port)
  await using own = start('mute', url.href, 200)
  await waitUntil('it to hear', async () => own.listening.heard)
  mute.on = true
  await waitUntil('it to notice', async () => !own.listening.heard)
  await waitUntil('it to try again', async () => mute.swallowed > 1)
  expect(own.listening.heard).toBe(false)
  mute.on = false
  await waitUntil('it to hear again', async () => own.listening.heard)
})

/** A proxy that swallows NotificationResponse messages while `on`, as a pooler in transaction mode does. */
async function muteNotices(port: number) {
  const server = createServer((client) => {
    const target = connect(port, '127.0.0.1')
    for (const socket of [client, target]) {
      socket.on('error', () => {})
      socket.on('close', () => [client, target].forEach((each) => each.destroy()))
    }
    client.pipe(target)
    let rest = Buffer.alloc(0)
    target.on('data', (piece) => {
      rest = Buffer.concat([rest, piece])
      for (
        let size = 0;
        rest.length >= 5 && rest.length >= (size = 1 + rest.readInt32BE(1));
        rest = rest.subarray(size)
      ) {
        if (proxy.on && rest[0] === 'A'.charCodeAt(0)) proxy.swallowed++
        else client.write(rest.subarray(0, size))
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const proxy = {
    on: false,
    swallowed: 0,
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.close()
    },
  }
  return proxy
}
