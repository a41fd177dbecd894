import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { beginFirst, migrateGenerations } from '../../../infra/topic-generations/generation-table.ts'
import { createSandbox } from '../../../schemas/testing/sandbox.ts'
import { exclusively, forgetBegun, noteBegun, noteSwitched, readRows, whileUnchanged } from './operation.ts'

const sandbox = createSandbox()
const { namespace, pool } = sandbox
const nothing = async () => {}

beforeAll(async () => {
  await migrateGenerations(sandbox.config, sandbox.log)
  await beginFirst(pool, namespace, 3)
})
afterAll(() => sandbox.close())

test('a deployment and a change of the partitions exclude each other; deployments do not', async () => {
  const changing = (work: () => Promise<void>) => exclusively(pool, namespace, work)
  const deploying = (work: () => Promise<void>) => whileUnchanged(pool, namespace, work)
  await changing(async () => {
    await expect(changing(nothing)).rejects.toThrow('Another process is changing the partitions')
    await expect(deploying(nothing)).rejects.toThrow('The partitions are being changed')
  })
  await deploying(async () => {
    await deploying(nothing)
    await expect(changing(nothing)).rejects.toThrow('or deploying')
  })
  await changing(nothing)
})

test('a change is either switched to or forgotten, by one only', async () => {
  const next = { number: 2, partitions: 5 }
  const begin = () => noteBegun(pool, namespace, { ...next, actor: 'test' })
  const switchTo = () => noteSwitched(pool, namespace, next, new Map())
  const forget = () => forgetBegun(pool, namespace, next)
  await begin()
  await forget()
  await expect(switchTo()).rejects.toThrow('another process has switched or cancelled it')
  await begin()
  await switchTo()
  await expect(forget()).rejects.toThrow('another process has switched or cancelled it')
  expect((await readRows(pool, namespace)).map(({ number }) => number)).toEqual([1, 2])
})
