import { existsSync, globSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

export const checkout = resolve(import.meta.dirname, '..', '..', '..')

/** A fenced block of a document. The line that opens it reads ` ```language info `. */
export interface Block {
  /** Path of the document from the checkout. */
  readonly file: string
  /** Line of the opening fence, from 1. */
  readonly line: number
  readonly language: string
  /** The rest of the opening line: `no-run: the reason`, or for code the path of the file that it shows. */
  readonly info: string
  /** Name of the situation a test has to create first: `<!-- given: a parked event -->` in the line above. */
  readonly given?: string
  readonly text: string
}

/** Documents with commands, in the order in which a test runs them. */
export const documents: readonly string[] = [
  'README.md',
  ...['producing', 'extending', 'replay', 'operating', 'scaling', 'performance', 'proof'].map(
    (name) => `docs/${name}.md`,
  ),
]

/** All checked documents: those, DESIGN.md, SECURITY.md and every other page of docs/. */
export const allDocuments = (): readonly string[] => [
  ...new Set([...documents, 'DESIGN.md', 'SECURITY.md', ...globSync('docs/**/*.md', { cwd: checkout })]),
]

export const readDocument = (file: string): string => readFileSync(join(checkout, file), 'utf8')

/** @throws Error if a block is not closed */
export function blocksOf(file: string, text = readDocument(file)): Block[] {
  const blocks: Block[] = []
  const lines = text.split('\n')
  for (let at = 0; at < lines.length; at++) {
    const [, language, info] = /^```(\w*) ?(.*)$/.exec(lines[at] ?? '') ?? []
    if (language === undefined) continue
    const end = lines.indexOf('```', at + 1)
    if (end < 0) throw new Error(`${file}:${at + 1}: the block is not closed`)
    const given = /^<!-- given: (.+) -->$/.exec(lines[at - 1] ?? '')?.[1]
    blocks.push({ file, line: at + 1, language, info: info ?? '', given, text: lines.slice(at + 1, end).join('\n') })
    at = end
  }
  return blocks
}

/** The text around the blocks, with as many lines as the document. */
export function proseOf(file: string, text = readDocument(file)): string {
  const lines = text.split('\n')
  for (const { line, text: block } of blocksOf(file, text))
    for (let at = line - 1; at <= line + block.split('\n').length; at++) lines[at] = ''
  return lines.join('\n')
}

/** Why a test does not run this block; undefined if it does. */
export const whyNotRun = ({ info }: Block): string | undefined => /^no-run: (.+)$/.exec(info)?.[1]

export const exists = (path: string): boolean =>
  path.includes('*') ? globSync(path, { cwd: checkout }).length > 0 : existsSync(join(checkout, path))
