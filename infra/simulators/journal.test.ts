import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { openJournal } from './journal.ts'

let folder: string
let path: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tally-journal-'))
  path = join(folder, 'deep', 'journal.ndjson')
})
afterEach(() => rm(folder, { recursive: true }))

const write = async (...lines: object[]) => {
  const journal = await openJournal(path)
  await Promise.all(lines.map((line) => journal.append(line)))
  await journal.close()
}
const read = async () => {
  const journal = await openJournal(path)
  await journal.close()
  return journal.lines
}

describe('journal', () => {
  test('keeps the lines in order', async () => {
    const lines = Array.from({ length: 500 }, (_, n) => ({ n, text: 'Füße\n🚚' }))
    await write(...lines)
    expect(await read()).toEqual(lines)
  })

  test('a line is in the file once append has resolved', async () => {
    const journal = await openJournal(path)
    await journal.append({ n: 1 })
    expect(await readFile(path, 'utf8')).toBe('{"n":1}\n')
    await journal.close()
  })

  test('a partial line at the end is cut off, and later lines stay readable', async () => {
    await write({ n: 1 }, { n: 2 })
    await appendFile(path, '{"n":3,"te')
    expect(await read()).toEqual([{ n: 1 }, { n: 2 }])
    await write({ n: 4 })
    expect(await read()).toEqual([{ n: 1 }, { n: 2 }, { n: 4 }])
  })

  test('another damaged line is refused with its number', async () => {
    await write({ n: 1 })
    await writeFile(path, '{"n":1}\n{"n":\n{"n":3}\n')
    await expect(read()).rejects.toMatchObject({ code: 'INVARIANT', message: `${path}, line 2 is damaged` })
  })

  test('after a failed write every append fails', async () => {
    const journal = await openJournal(path)
    await journal.close()
    await expect(journal.append({ n: 1 })).rejects.toThrow()
    await expect(journal.append({ n: 2 })).rejects.toThrow()
    expect(await read()).toEqual([])
  })
})
