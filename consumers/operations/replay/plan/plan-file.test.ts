import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Plan } from '../plan.ts'
import { readPlanFile, writePlanFile } from './plan-file.ts'
import { planId } from './plan-id.ts'

const said: Omit<Plan, 'id'> = {
  format: 1,
  createdAt: '2026-03-01T18:00:00.000Z',
  mode: 'reprocess',
  group: 'payment',
  toTopic: null,
  cluster: { id: 'c', namespace: '', partitions: 12 },
  topics: [{ topic: 'orders', topicId: 'aa' }],
  selector: { keys: ['o-1'], types: undefined },
  partitions: [],
  schemas: [],
  unframed: 0,
  parkedEvents: 0,
}
const plan: Plan = { ...said, id: planId(said) }

let folder: string
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'tally-plan-'))))
afterAll(() => rm(folder, { recursive: true, force: true }))

test('a plan comes back as it was written, and is not written over another by mistake', async () => {
  const path = join(folder, 'plan.json')
  await writePlanFile(path, plan)
  expect(await readPlanFile(path)).toEqual(plan)
  const other = { ...plan, createdAt: '2026-03-02T18:00:00.000Z' }
  await expect(writePlanFile(path, other)).rejects.toMatchObject({
    code: 'USAGE',
    message: expect.stringContaining('exist'),
  })
  expect(await readPlanFile(path)).toEqual(plan)
  await writePlanFile(path, { ...other, id: planId(other) }, { overwrite: true })
  expect(await readPlanFile(path)).toMatchObject({ createdAt: other.createdAt })
})

test('its id does not depend on the order of fields or on white space, but on each value', async () => {
  const path = join(folder, 'compact.json')
  await writeFile(path, JSON.stringify(Object.fromEntries(Object.entries(plan).reverse())))
  expect(await readPlanFile(path)).toEqual(plan)
  expect(planId({ ...said, selector: { keys: ['o-2'] } })).not.toBe(plan.id)
})

test.each([
  ['an edited one', (text: string) => text.replace('"o-1"', '"o-2"'), 'was changed since it was made'],
  ['one without its id', (text: string) => text.replace('"id"', '"was"'), 'was changed since it was made'],
  [
    'one of another version',
    (text: string) => text.replace('"format": 1', '"format": 2'),
    'another version (format 2)',
  ],
  ['half of one', (text: string) => text.slice(0, 99), 'not even JSON'],
  ['an empty file', () => '', 'not even JSON'],
  ['a list', () => '[1]', 'is not a plan: `npm run replay'],
  ['nothing', () => 'null', 'is not a plan: `npm run replay'],
])('%s is refused', async (name, change, sentence) => {
  const path = join(folder, `${name}.json`)
  await writePlanFile(path, plan)
  await writeFile(path, change(await readFile(path, 'utf8')))
  await expect(readPlanFile(path)).rejects.toMatchObject({ code: 'USAGE', message: expect.stringContaining(sentence) })
})

test('a file that is not there, or cannot be made, is named', async () => {
  const missing = join(folder, 'no', 'plan.json')
  const refused = { code: 'USAGE', message: expect.stringContaining(missing) }
  await expect(readPlanFile(missing)).rejects.toMatchObject(refused)
  await expect(writePlanFile(missing, plan)).rejects.toMatchObject(refused)
})
