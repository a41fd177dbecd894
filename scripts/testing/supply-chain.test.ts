import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from '@jest/globals'

const root = resolve(import.meta.dirname, '..', '..')
const read = (file: string): string => readFileSync(join(root, file), 'utf8')

interface Package {
  version: string
  license?: string
  integrity?: string
  optional?: boolean
  dev?: boolean
}
const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, Package> }
const installed = Object.entries(packages).filter(([path]) => path !== '')

/** Licences that ask for no more than a notice. Another one is a decision. */
const allowed = new Set(['MIT', 'ISC', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'BlueOak-1.0.0'])
/** Of tools that are used unchanged while developing and are part of nothing that runs. */
const allowedForTools = new Set(['MPL-2.0', 'CC-BY-4.0'])
/** Packages with another licence, or none in their description, and why they may be used. */
const exceptions: Readonly<Record<string, string>> = {
  'node_modules/@kafkajs/confluent-schema-registry': 'its LICENSE file is that of MIT',
}
/** `MIT OR CC0-1.0` may be used under one that is allowed, `MIT AND Zlib` asks for both, which Zlib makes no harder. */
const isAllowed = ({ license = '', dev = false }: Package): boolean => {
  if (dev && allowedForTools.has(license)) return true
  const names = license.replaceAll(/[()]/g, '').split(' OR ')
  return names.some((name) => name.split(' AND ').every((each) => allowed.has(each) || each === 'Zlib'))
}

test('every package has a licence that is allowed', () => {
  const other = installed.filter(([path, described]) => !isAllowed(described) && !(path in exceptions))
  expect(other.map(([path, { license }]) => `${path}: ${license}`)).toEqual([])
  expect(Object.keys(exceptions).filter((path) => !(path in packages))).toEqual([])
})

test('every package is pinned by its content, and ours by its version', () => {
  // npm notes no content of optional packages for other platforms
  const unpinned = installed.filter(([, { integrity, optional }]) => !integrity && !optional)
  expect(unpinned.map(([path]) => path)).toEqual([])
  const { dependencies, devDependencies, optionalDependencies } = JSON.parse(read('package.json'))
  const versions = Object.values({ ...dependencies, ...devDependencies, ...optionalDependencies }) as string[]
  expect(versions.filter((version) => !/^\d/.test(version))).toEqual([])
})

test('no package runs a script when it is installed', () => {
  expect(read('.npmrc')).toMatch(/^ignore-scripts=true$/m)
})

test('a bill of materials in CycloneDX names what is used', () => {
  // Of the lock file, so that it is the same on every machine
  const args = ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only']
  const bill = JSON.parse(
    execFileSync('npm', args, { cwd: root, encoding: 'utf8', maxBuffer: 1e8, stdio: 'pipe' }),
  ) as {
    bomFormat: string
    components: { name: string; version: string; purl: string }[]
  }
  expect(bill.bomFormat).toBe('CycloneDX')
  const named = new Set(bill.components.map(({ name, version }) => `${name}@${version}`))
  const { dependencies } = JSON.parse(read('package.json')) as { dependencies: Record<string, string> }
  expect(Object.entries(dependencies).filter(([name, version]) => !named.has(`${name}@${version}`))).toEqual([])
  expect(bill.components.every(({ purl }) => purl.startsWith('pkg:npm/'))).toBe(true)
})
