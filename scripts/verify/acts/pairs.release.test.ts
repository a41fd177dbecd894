import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { note } from '../../../infra/testing/test-logger.ts'
import { tableLines } from '../../cli/table.ts'
import { createTestStack, succeeded } from '../../testing/test-stack.ts'
import type { TestStack } from '../../testing/test-stack.ts'
import { verify } from '../verify.ts'
import { openActStack, whyOf } from './testing/act-stack.ts'
import { actsByKind } from './testing/acts-by-kind.ts'
import { pairsOf } from './testing/pairs-of.ts'

/**
 * Walks all ordered pairs of kinds of operators' acts on one running stack and verifies after each. A violation that no act
 * explains fails the pair. A kind's acts take turns, so that each act meets every kind: all pairs of acts would take half an
 * hour. `TALLY_TEST_ACTS=skip,rebuild` walks all pairs of those acts instead.
 */
describe('verify after every pair of acts', () => {
  let stack: TestStack
  beforeAll(async () => {
    const env = { TALLY_PARTITIONS: '2', TALLY_LOG_LEVEL: 'fatal', TALLY_RETRY_LIMIT: '0' }
    stack = await createTestStack(30_400, env)
    await stack.start()
    succeeded(await stack.run('produce', 'StockReplenished', '--count', '200'))
  })
  afterAll(() => stack?.close())

  test('is green, or names the act', async () => {
    const { kinds, walk } = chosenWalk(process.env.TALLY_TEST_ACTS?.split(','))
    const acts = openActStack(stack)
    const turns = new Map<string, number>()
    const cells = new Map<string, string[]>()
    const unexplained: string[] = []
    let before: { kind: string; name: string } | undefined
    for (const kind of walk) {
      const turn = turns.get(kind) ?? 0
      turns.set(kind, turn + 1)
      const [name, act] = Object.entries(kinds[kind]!)[turn % Object.keys(kinds[kind]!).length]!
      const began = performance.now()
      try {
        await act(acts, name)
      } catch (error) {
        throw new Error(`${before?.name} × ${name}: ${String(error)}`, { cause: error })
      }
      const acted = performance.now()
      const { ok, findings } = await verify(stack.config, { settleWithinMs: 60_000 })
      const lines = findings.flatMap(({ id, violations, examples }) =>
        examples.map((each) => ({ id, violations, each })),
      )
      const named = lines.some(({ each }) => each.includes(', because ') && each.includes(whyOf(name)))
      const verdict = ok ? (named ? 'named' : 'green') : 'RED'
      const pair = `${before?.name ?? 'nothing'} × ${name}`
      note(`${pair}: ${verdict}, ${Math.round(acted - began)} + ${Math.round(performance.now() - acted)} ms\n`)
      if (before) {
        const cell = `${before.kind} × ${kind}`
        cells.set(cell, [...(cells.get(cell) ?? []), verdict])
      }
      if (!ok)
        unexplained.push(
          ...lines.filter(({ violations }) => violations > 0).map(({ id, each }) => `${pair}: ${id}: ${each}`),
        )
      if (unexplained.length > 20) break
      before = { kind, name }
    }
    const names = Object.keys(kinds)
    const rows = names.map((one) => [
      one,
      ...names.map((other) => [...new Set(cells.get(`${one} × ${other}`) ?? ['-'])].join(' ')),
    ])
    process.stdout.write(`${tableLines({ head: ['then', ...names], rows }, 400).join('\n')}\n`)
    expect(unexplained).toEqual([])
    expect(cells.size).toBe(names.length ** 2)
  }, 1_800_000)
})

function chosenWalk(only: readonly string[] | undefined) {
  const acts = Object.assign({}, ...Object.values(actsByKind)) as (typeof actsByKind)[string]
  const kinds = only ? Object.fromEntries(only.map((name) => [name, { [name]: acts[name]! }])) : actsByKind
  return { kinds, walk: pairsOf(Object.keys(kinds)) }
}
