import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { text as textOf } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, test } from '@jest/globals'
import { copyCheckout } from '../../mutate/working-copy.ts'
import type { WorkingCopy } from '../../mutate/working-copy.ts'
import { createTestStack, succeeded } from '../test-stack.ts'
import type { TestStack } from '../test-stack.ts'
import { blocksOf, documents, whyNotRun } from './blocks.ts'
import type { Block } from './blocks.ts'
import { situations } from './situations.ts'

const portBase = 29_200
/** The port base in the documents. */
const documentedPortBase = 28_000

/** The blocks to execute: commands, diffs, and files to create. */
const isStep = (block: Block) =>
  block.language === 'sh' ? !whyNotRun(block) : block.language === 'diff' || block.info.includes('/')

describe('the commands in the documentation, one after the other', () => {
  let copy: WorkingCopy
  let stack: TestStack
  beforeAll(async () => {
    copy = await copyCheckout()
    stack = await createTestStack(portBase, {}, copy.dir)
    await stack.start()
  })
  afterAll(async () => {
    await stack?.close()
    await copy?.[Symbol.asyncDispose]()
  })

  const run = async (shell: string) => {
    const own = shell.replaceAll(
      /localhost:(28\d{3})/g,
      (_, port) => `localhost:${+port - documentedPortBase + portBase}`,
    )
    const bash = spawn('bash', ['-euo', 'pipefail', '-c', own], {
      ...{ cwd: copy.dir, env: stack.sandbox.env, stdio: ['ignore', 'pipe', 'pipe'] },
    })
    const [stdout, stderr] = await Promise.all([textOf(bash.stdout), textOf(bash.stderr), once(bash, 'exit')])
    return { exitCode: bash.exitCode, stdout, stderr }
  }

  for (const block of documents.flatMap((file) => blocksOf(file)).filter(isStep)) {
    const { file, line, language, info, given, text } = block
    test(`${file}:${line}: ${language === 'sh' ? text.split('\n')[0] : info}`, async () => {
      if (given !== undefined) await situations[given]?.(stack.sandbox)
      if (language === 'sh') return void succeeded(await run(text))
      const path = join(copy.dir, language === 'diff' ? 'change.diff' : info)
      await mkdir(dirname(path), { recursive: true })
      await writeFile(path, `${text}\n`)
      if (language === 'diff') succeeded(await run('git apply change.diff'))
    })
  }
})
