import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { applyEdit } from './mutation.ts'
import type { Mutation } from './mutation.ts'

const root = resolve(import.meta.dirname, '..', '..')

/** A copy of the checkout, with its uncommitted changes, in which guards can be removed. */
export interface WorkingCopy extends AsyncDisposable {
  readonly dir: string
  /** Removes a guard, runs `work` and restores the guard. */
  without<T>(mutation: Mutation, work: () => Promise<T>): Promise<T>
}

export async function copyCheckout(): Promise<WorkingCopy> {
  const dir = await mkdtemp(join(tmpdir(), 'tally-mutate-'))
  const copy: WorkingCopy = {
    dir,
    async without({ edits }, work) {
      const sound = new Map<string, string>()
      try {
        for (const edit of edits) {
          const path = join(dir, edit.file)
          const source = await readFile(path, 'utf8')
          if (!sound.has(path)) sound.set(path, source)
          await writeFile(path, applyEdit(source, edit))
        }
        return await work()
      } finally {
        for (const [path, source] of sound) await writeFile(path, source)
      }
    },
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }),
  }
  try {
    const listed = await promisify(execFile)('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
      cwd: root,
    })
    const files = listed.stdout.split('\0').filter((file) => file !== '' && existsSync(join(root, file)))
    for (const file of files) await cp(join(root, file), join(dir, file))
    await symlink(join(root, 'node_modules'), join(dir, 'node_modules'))
    await promisify(execFile)('git', ['init', '-q', dir]) // A test may copy the copy
    return copy
  } catch (error) {
    await copy[Symbol.asyncDispose]()
    throw error
  }
}
