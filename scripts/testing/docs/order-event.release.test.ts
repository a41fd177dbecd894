import { execFile } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { schemaName } from '../../../consumers/runtime/load-consumer.ts'
import { waitUntil } from '../../../infra/testing/wait-until.ts'
import { applyEdit } from '../../mutate/mutation.ts'
import type { Edit } from '../../mutate/mutation.ts'
import { copyCheckout } from '../../mutate/working-copy.ts'
import type { WorkingCopy } from '../../mutate/working-copy.ts'
import { createTestStack, succeeded } from '../test-stack.ts'
import type { TestStack } from '../test-stack.ts'
import { readDocument } from './blocks.ts'
import { refundEdits, refundFiles } from './order-event.ts'

const group = 'refunds'

/** Adds an event about orders and a consumer of it to a running stack, as docs/extending.md says. */
describe('an event about orders, added by the guide', () => {
  let copy: WorkingCopy
  let stack: TestStack
  beforeAll(async () => {
    copy = await copyCheckout()
    stack = await createTestStack(30_600, { TALLY_PARTITIONS: '2', TALLY_LOG_LEVEL: 'fatal' }, copy.dir)
    await stack.start()
    succeeded(await stack.run('produce', 'StockReplenished', '--count', '200'))
    succeeded(await stack.run('produce', 'OrderPlaced', '--count', '20', '--seed', '5'))
  })
  afterAll(async () => {
    await stack?.close()
    await copy?.[Symbol.asyncDispose]()
  })

  const change = async (edit: Edit) => {
    const path = join(copy.dir, edit.file)
    await writeFile(path, applyEdit(await readFile(path, 'utf8'), edit))
  }
  /** Files with a type error. */
  const typeErrors = async (): Promise<string[]> => {
    const checked = promisify(execFile)(process.execPath, ['node_modules/.bin/tsc', '--noEmit'], { cwd: copy.dir })
    const text = await checked.then(
      ({ stdout }) => stdout,
      (error: { stdout: string }) => error.stdout,
    )
    return [...new Set([...text.matchAll(/^([\w/.-]+\.ts)\(/gm)].map(([, file = '']) => file))].toSorted()
  }

  test('the type check names the files that the guide names', async () => {
    const section = /## Add an event\n(.*?)\n## /s.exec(readDocument('docs/extending.md'))?.[1] ?? ''
    const guide = [...section.matchAll(/^\| `([\w/.-]+)` \|/gm)].map(([, file = '']) => file)
    const [topic, ...others] = refundEdits
    expect(section).toContain('| a new file in `schemas/avro/` |')
    expect(guide.toSorted()).toEqual(refundEdits.map(({ file }) => file).toSorted())
    for (const [file, content] of Object.entries(refundFiles)) {
      await mkdir(dirname(join(copy.dir, file)), { recursive: true })
      await writeFile(join(copy.dir, file), content)
    }
    await change(topic!)
    succeeded(await stack.run('generate'))
    expect(await typeErrors()).toEqual(others.map(({ file }) => file).toSorted())
    for (const edit of others) await change(edit)
    expect(await typeErrors()).toEqual([])
  })

  test('deployed and restarted in the order of the guide, every refund is taken and verify is green', async () => {
    const deployed = await stack.run('deploy')
    succeeded(deployed)
    expect(deployed.stderr).toMatch(
      /^order-status: older code runs that ignores RefundIssued \(order-status@\S+\).*npm run scale -- --restart order-status$/m,
    )
    succeeded(await stack.run('scale', '--restart', 'order-status'))
    expect((await stack.run('deploy')).stderr).not.toContain('older code runs')
    succeeded(await stack.run('scale', `${group}=1`))
    succeeded(await stack.run('produce', 'RefundIssued', '--count', '3', '--seed', '5', '--forge'))
    const schema = (name: string) => `"${schemaName(stack.sandbox.namespace, name)}"`
    const { pool } = stack.sandbox
    await waitUntil('the refunds are booked', async () => {
      return (await pool.query(`select 1 from ${schema(group)}.refund`)).rowCount === 3
    })
    await waitUntil('the orders have ended', async () => {
      const ended = `select 1 from ${schema('order-status')}.order_status where status in ('completed', 'rejected', 'cancelled')`
      return (await pool.query(ended)).rowCount === 20
    })
    const { exitCode, stdout } = await stack.run('verify', '--json')
    const { findings } = JSON.parse(stdout) as { findings: { violations: number }[] }
    expect(findings.filter(({ violations }) => violations > 0)).toEqual([])
    expect(exitCode).toBe(0)
  })
})
