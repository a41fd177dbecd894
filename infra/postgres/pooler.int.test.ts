import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import { createSandbox } from '../../schemas/testing/sandbox.ts'
import { stripStartUp } from '../testing/start-up-stripper.ts'
import { waitUntil } from '../testing/wait-until.ts'
import { checkSessions, createPool } from './pool.ts'
import { refuseSharedSession } from './session.ts'

const { config, log, close } = createSandbox()
afterAll(() => close())

const names = ['search_path', 'datestyle', 'statement_timeout', 'lock_timeout', 'application_name', 'client_encoding']
async function settings(url: string): Promise<Record<string, string>> {
  const pool = createPool({ url, schema: 'own', name: 'pooled', log })
  try {
    await checkSessions(pool)
    const { rows } = await pool.query<{ name: string; value: string }>(
      'select name, current_setting(name) as value from unnest($1::text[]) as name',
      [names],
    )
    return Object.fromEntries(rows.map(({ name, value }) => [name, value]))
  } finally {
    await pool.end()
  }
}
const through = (port: number, options = ''): string => {
  const url = new URL(config.postgres.url)
  url.hostname = '127.0.0.1'
  url.port = String(port)
  if (options) url.searchParams.set('options', options)
  return url.href
}

test('a pooler that drops all that a client asks for at start takes no setting from a session', async () => {
  await using pooler = await stripStartUp(new URL(config.postgres.url))
  const usual = await settings(config.postgres.url)
  expect(usual).toMatchObject({ search_path: 'own', application_name: 'pooled', statement_timeout: '15s' })
  expect(await settings(through(pooler.port))).toEqual(usual)
  expect(await settings(through(pooler.port, '-c datestyle=German'))).toEqual(usual)
  expect([...pooler.dropped]).toEqual(expect.arrayContaining(['application_name', 'options']))
})

test('one session of two connections is refused', () => {
  expect(() => refuseSharedSession(7, [6, 8])).not.toThrow()
  expect(() => refuseSharedSession(7, [6, 7])).toThrow(/a pooler shares sessions between connections; connect without/)
})

const isInstalled = spawnSync('pgbouncer', ['--version']).status === 0
if (!isInstalled) process.stdout.write('pgbouncer is not installed: not tested with the real one\n')

/** PgBouncer in a pool mode, in front of the database of the test run. */
async function startBouncer(mode: 'session' | 'transaction', port: number) {
  const folder = mkdtempSync(join(tmpdir(), 'tally-pgbouncer-'))
  const { hostname, port: target, username, password, pathname } = new URL(config.postgres.url)
  const ini = `[databases]
${pathname.slice(1)} = host=${hostname} port=${target}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${folder}/users
pool_mode = ${mode}
default_pool_size = 1
ignore_startup_parameters = options,extra_float_digits
`
  writeFileSync(join(folder, 'users'), `"${username}" "${decodeURIComponent(password)}"\n`)
  writeFileSync(
    join(folder, 'ini'),
    ini.replace('default_pool_size = 1', `default_pool_size = ${mode === 'session' ? 4 : 1}`),
  )
  chmodSync(folder, 0o755) // It refuses to run as root
  const asRoot = process.getuid?.() === 0 ? ['-u', 'nobody'] : []
  const child = spawn('pgbouncer', ['-q', ...asRoot, join(folder, 'ini')], { stdio: 'ignore' })
  const ended = once(child, 'exit')
  await waitUntil('pgbouncer accepts connections', async () => {
    const socket = connect(port, '127.0.0.1')
    try {
      await once(socket, 'connect')
      return true
    } finally {
      socket.destroy()
    }
  })
  return {
    url: through(port, '-c datestyle=German'),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
      rmSync(folder, { recursive: true })
    },
  }
}

const withPgBouncer = isInstalled ? describe : describe.skip
withPgBouncer('PgBouncer', () => {
  test('in session mode every session has its settings', async () => {
    await using bouncer = await startBouncer('session', 26_890)
    expect(await settings(bouncer.url)).toEqual(await settings(config.postgres.url))
  })

  test('in transaction mode it is refused in a sentence before anything is taken', async () => {
    await using bouncer = await startBouncer('transaction', 26_891)
    await expect(settings(bouncer.url)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/pooler/),
    })
  })
})
