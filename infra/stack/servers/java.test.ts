import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { findJdk } from './java.ts'

describe('findJdk', () => {
  let root: string
  beforeEach(() => void (root = mkdtempSync(join(tmpdir(), 'tally-jdk-'))))
  afterEach(() => rmSync(root, { recursive: true, force: true }))

  function install(name: string, version: string): string {
    const home = join(root, name)
    mkdirSync(join(home, 'bin'), { recursive: true })
    writeFileSync(join(home, 'release'), `IMPLEMENTOR="x"\nJAVA_VERSION="${version}"\n`)
    writeFileSync(join(home, 'bin', 'java'), '')
    chmodSync(join(home, 'bin', 'java'), 0o755)
    return home
  }

  test('uses JAVA_HOME if it is new enough', () => {
    const javaHome = install('a', '21.0.1')
    install('b', '25.0.3')
    expect(findJdk({ javaHome, searchPath: [], folders: [root] }).version).toBe('21.0.1')
  })

  test('skips an old JAVA_HOME and PATH and uses the newest installed JDK', () => {
    const javaHome = install('a', '1.8.0_392')
    install('b', '21.0.1')
    install('c', '25')
    const onPath = install('d', '17.0.15')
    const found = findJdk({ javaHome, searchPath: [join(onPath, 'bin')], folders: [root] })
    expect(found).toEqual({ home: join(root, 'c'), java: join(root, 'c', 'bin', 'java'), version: '25' })
  })

  test('follows links of the java on PATH', () => {
    const home = install('a', '23.0.1')
    mkdirSync(join(root, 'links'))
    symlinkSync(join(home, 'bin', 'java'), join(root, 'links', 'java'))
    expect(findJdk({ searchPath: ['/nowhere', join(root, 'links')], folders: [] }).home).toBe(home)
  })

  test('reports what was found and what to install', () => {
    const javaHome = install('a', '17.0.15')
    expect(() => findJdk({ javaHome, searchPath: [], folders: [] })).toThrow(
      /need a JDK 21 or newer, only Java 17\.0\.15 was found .*: install one .* or point JAVA_HOME to it$/,
    )
    expect(() => findJdk({ searchPath: [], folders: [] })).toThrow(/need a JDK 21 or newer, none was found/)
  })
})
