import { globSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { parse as parseYaml } from 'yaml'
import { allDocuments, blocksOf, documents, exists, proseOf, readDocument, whyNotRun } from './blocks.ts'
import { mistakesIn } from './command-help.ts'
import { npmCommandsIn } from './npm-commands.ts'

const languages = ['sh', 'text', 'ts', 'json', 'yaml', 'sql', 'diff']
const files = allDocuments()

// Paths of the project in running text, such as `infra/config.ts` or `scripts/bench/`
const pathsIn = (prose: string) =>
  [...prose.matchAll(/`((?:consumers|producers|schemas|infra|scripts|docs|\.ci)\/[\w./*-]*)`/g)].map(
    ([, path = '']) => path,
  )

/** Rows of the settings table, which `npm run generate` writes, cannot be wrapped. */
const isGenerated = (file: string, line: string) => file === 'docs/configuration.md' && line.startsWith('|')

/** The fragment that GitHub derives from a heading. */
const slug = (heading: string) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, '')
    .replaceAll(' ', '-')

const headingsOf = (file: string) => [...proseOf(file).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => slug(heading))

test('the README has at most 150 lines', () => {
  expect(readDocument('README.md').split('\n').length - 1).toBeLessThanOrEqual(150)
})

test('every page of docs/ has a place in the order in which the commands run', () => {
  const withCommands = globSync('docs/*.md', { cwd: join(import.meta.dirname, '..', '..', '..') }).filter((file) =>
    blocksOf(file).some((block) => block.language === 'sh' && whyNotRun(block) === undefined),
  )
  expect(withCommands.filter((file) => !documents.includes(file))).toEqual([])
})

describe.each(files)('%s', (file) => {
  const blocks = blocksOf(file)
  const prose = proseOf(file)

  test('has no line over 120 characters, except in the generated table', () => {
    const lines = readDocument(file).split('\n')
    const long = lines.flatMap((line, at) =>
      line.length > 120 && !isGenerated(file, line) ? [`${file}:${at + 1}`] : [],
    )
    expect(long).toEqual([])
  })

  test('has no empty block and none of an unknown language', () => {
    expect(
      blocks.filter(({ language, text }) => !languages.includes(language) || ['', '…'].includes(text.trim())),
    ).toEqual([])
  })

  test('has valid JSON and YAML', () => {
    for (const { language, text } of blocks) {
      if (language === 'json') JSON.parse(text)
      if (language === 'yaml') parseYaml(text)
    }
  })

  test('gives a reason for each block that no test runs', () => {
    const odd = blocks.filter((block) => block.language === 'sh' && block.info !== '' && !whyNotRun(block))
    expect(odd).toEqual([])
  })

  test('names commands and options that exist', async () => {
    const inline = [...prose.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)
    const shell = [...blocks.filter(({ language }) => language === 'sh').map(({ text }) => text), ...inline]
    const mistakes = await Promise.all(shell.flatMap(npmCommandsIn).map(mistakesIn))
    expect([...new Set(mistakes.flat())]).toEqual([])
  }, 60_000)

  test('links to files and headings that exist', () => {
    const broken = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target = '']) => {
      if (/^https?:/.test(target)) return []
      const [path = '', heading] = target.split('#')
      const linked = path === '' ? file : normalize(join(dirname(file), path))
      if (!exists(linked)) return [target]
      return heading === undefined || headingsOf(linked).includes(heading) ? [] : [target]
    })
    expect(broken).toEqual([])
  })

  test('names files and folders that exist', () => {
    const shown = new Set(files.flatMap((each) => blocksOf(each)).map(({ info }) => info))
    const isShown = (path: string) =>
      [...shown].some((info) => info === path || info.startsWith(path.replace(/\/?$/, '/')))
    expect(pathsIn(prose).filter((path) => !exists(path) && !isShown(path))).toEqual([])
  })
})
