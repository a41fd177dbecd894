import { afterAll, expect, test } from '@jest/globals'
import { createPool } from './pool.ts'
import { hostileSettings as hostile } from '../testing/hostile-settings.ts'
import { createSandbox } from '../../schemas/testing/sandbox.ts'

const { pool, namespace, config, log, close } = createSandbox()
afterAll(() => close())

const read = async (url: string): Promise<Record<string, string>> => {
  const own = createPool({ url, schema: 'own', name: 'hostile', max: 1, log })
  try {
    const { rows } = await own.query<{ name: string; value: string }>(
      'select name, current_setting(name) as value from unnest($1::text[]) as name order by name',
      [Object.keys(hostile)],
    )
    return Object.fromEntries(rows.map(({ name, value }) => [name, value]))
  } finally {
    await own.end()
  }
}

const withDatabase = async (work: (url: string, name: string) => Promise<void>) => {
  const name = `${namespace}defaults`
  await pool.query(`create database "${name}"`)
  const url = new URL(config.postgres.url)
  url.pathname = `/${name}`
  try {
    await work(url.href, name)
  } finally {
    await pool.query(`drop database "${name}" with (force)`)
  }
}

test('no default of a database or a role reaches a session, and neither do options of the URL', async () => {
  await withDatabase(async (url, name) => {
    const usual = await read(url)
    expect(usual).toMatchObject({ datestyle: 'ISO, MDY', search_path: 'own', statement_timeout: '15s' })
    for (const [setting, value] of Object.entries(hostile)) {
      await pool.query(`alter database "${name}" set ${setting} = ${setting === 'search_path' ? value : `'${value}'`}`)
    }
    expect(await read(url)).toEqual(usual)
    await pool.query(`alter role tally in database "${name}" set datestyle = 'German'`)
    await pool.query(`alter role tally in database "${name}" set synchronous_commit = off`)
    expect(await read(url)).toEqual(usual)
    const asked = new URL(url)
    asked.searchParams.set('options', '-c search_path=public -c datestyle=SQL,DMY -c statement_timeout=1s')
    expect(await read(asked.href)).toEqual(usual)
  })
})

test('a role that may not change one of its defaults is refused in a sentence', async () => {
  await withDatabase(async (url, name) => {
    const role = `${namespace}limited`
    await pool.query(`create role "${role}" login password 'secret'`)
    try {
      await pool.query(`alter role "${role}" in database "${name}" set session_replication_role = 'replica'`)
      const own = new URL(url)
      Object.assign(own, { username: role, password: 'secret' })
      await expect(read(own.href)).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
        message: expect.stringMatching(/session_replication_role.*alter role … reset/),
      })
    } finally {
      await pool.query(`drop role "${role}"`)
    }
  })
})
