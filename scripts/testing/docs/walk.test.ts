import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { checkout, exists, readDocument } from './blocks.ts'

const section = /## The walk of an event\n(.*?)\n## /s.exec(readDocument('DESIGN.md'))?.[1] ?? ''

/** Files of the walk, each with the functions and methods that follow it: `lane/lane.ts` `Lane.process`. */
const steps = [...section.matchAll(/`([\w/-]+\.ts)`((?:,?\s+`[\w.]+`)*)/g)].map(([, path = '', names = '']) => ({
  file: /^(producers|infra)\//.test(path) ? path : `consumers/runtime/${path}`,
  names: [...names.matchAll(/`([\w.]+)`/g)].flatMap(([, name = '']) => name.split('.')),
}))

test('the walk of an event names files that exist', () => {
  expect(steps.length).toBeGreaterThan(12)
  expect(steps.filter(({ file }) => !exists(file))).toEqual([])
})

test('the walk of an event names functions of those files', () => {
  const missing = steps.flatMap(({ file, names }) => {
    const source = readFileSync(join(checkout, file), 'utf8')
    return names.filter((name) => !new RegExp(`\\b${name}\\b`).test(source)).map((name) => `${file}: ${name}`)
  })
  expect(missing).toEqual([])
})
