import { afterAll, expect, test } from '@jest/globals'
import { createPool } from './pool.ts'
import { createSandbox } from '../../schemas/testing/sandbox.ts'

const { pool, namespace, config, log, close } = createSandbox()
afterAll(() => close())

/** Defaults that a server, database or role may have and that change what a statement means, keeps or may take. */
const hostile: Readonly<Record<string, string>> = {
  datestyle: 'SQL, DMY',
  timezone: 'Asia/Kolkata',
  intervalstyle: 'iso_8601',
  bytea_output: 'escape',
  extra_float_digits: '-5',
  standard_conforming_strings: 'off',
  client_encoding: 'LATIN1',
  quote_all_identifiers: 'on',
  search_path: 'pg_catalog',
  statement_timeout: '20ms',
  lock_timeout: '1ms',
  idle_in_transaction_session_timeout: '5ms',
  idle_session_timeout: '50ms',
  transaction_timeout: '20ms',
  default_transaction_isolation: 'serializable',
  default_transaction_read_only: 'on',
  default_transaction_deferrable: 'on',
  row_security: 'on',
  transform_null_equals: 'on',
  array_nulls: 'off',
  gin_fuzzy_search_limit: '1',
  exit_on_error: 'on',
  session_replication_role: 'replica',
}

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
