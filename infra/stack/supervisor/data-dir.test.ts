import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { deleteData, ensureDatabasePassword, isOpen, loadStackConfig, prepareDataDir } from './data-dir.ts'

let folder: string
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'tally-data-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('the data folder', () => {
  test('is created with contents that only its owner can read', () => {
    const dataDir = join(folder, 'deep', 'down')
    prepareDataDir(dataDir)
    for (const name of ['run', 'logs']) expect(statSync(join(dataDir, name)).mode & 0o777).toBe(0o700)
    prepareDataDir(dataDir)
  })

  test('is refused if it holds foreign files', () => {
    writeFileSync(join(folder, 'thesis.txt'), '')
    expect(() => prepareDataDir(folder)).toThrow(/holds files that are not Tally's.*TALLY_DATA_DIR/)
    expect(readdirSync(folder)).toEqual(['thesis.txt'])
  })

  test.each(['line\nbreak', 'bell\u0007', 'bytes \ufffd that are not UTF-8'])(
    'is refused under the name %j',
    (name) => {
      expect(() => prepareDataDir(join(folder, name))).toThrow(
        /control characters, or is not UTF-8: set TALLY_DATA_DIR/,
      )
      expect(readdirSync(folder)).toEqual([])
    },
  )

  test('is reported with its variable if it cannot be created', () => {
    writeFileSync(join(folder, 'file'), '')
    expect(() => prepareDataDir(join(folder, 'file', 'data'))).toThrow(/cannot be written: .*TALLY_DATA_DIR.*ENOTDIR/)
    expect(() => prepareDataDir('/proc/data')).toThrow(/cannot be written: .*TALLY_DATA_DIR.*ENOENT/)
  })

  test('keeps downloads and data of test runs when its data is deleted', () => {
    prepareDataDir(folder)
    for (const name of ['jars-0123', 'console', 'shop', 'screenshots', 'test', 'kafka']) mkdirSync(join(folder, name))
    deleteData(folder)
    expect(readdirSync(folder).toSorted()).toEqual(['console', 'jars-0123', 'screenshots', 'shop', 'test'])
    deleteData(folder) // Again: there is nothing left to delete
    expect(readdirSync(folder).toSorted()).toEqual(['console', 'jars-0123', 'screenshots', 'shop', 'test'])
  })

  test('is not deleted if it is no data folder of Tally', () => {
    mkdirSync(join(folder, 'kafka'))
    expect(() => deleteData(folder)).toThrow(/is not a data folder of Tally: nothing was deleted/)
    expect(existsSync(join(folder, 'kafka'))).toBe(true)
  })
})

describe('the password of the embedded database', () => {
  test('is created once, readable by the owner only, and is in the configuration', () => {
    const config = loadStackConfig({ TALLY_DATA_DIR: folder })
    const password = ensureDatabasePassword(folder)
    expect(password).toMatch(/^[\w-]{32}$/)
    expect(new URL(config.postgres.url).password).toBe(password)
    expect(statSync(join(folder, 'postgres.password')).mode & 0o777).toBe(0o600)
  })
})

test('a folder is open to every user only if all its parents are', () => {
  const inner = join(folder, 'a', 'b')
  mkdirSync(inner, { recursive: true, mode: 0o755 })
  expect(isOpen(inner)).toBe(false) // Temporary folders are private
  expect(isOpen('/usr/bin')).toBe(true)
})
