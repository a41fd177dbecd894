import { expect, test } from '@jest/globals'
import { orderPlaced } from '../../runtime/testing/tally-consumer.ts'
import { compare, noDifference } from './compare.ts'

const published = (key: string, id: string) => ({ ...orderPlaced(key), id })
const drained = (subject: string, id: string) => ({ id, subject, body: '', attributes: {} })
const events = [published('o-1', 'a'), published('o-2', 'x'), published('o-1', 'b')]

test('repeats and the order between keys are no difference', () => {
  const out = [drained('o-1', 'a'), drained('o-1', 'b'), drained('o-1', 'a'), drained('o-2', 'x')]
  expect(compare(events, out)).toEqual(noDifference)
})

test('what is missing, foreign or out of order is named', () => {
  expect(compare(events, [drained('o-1', 'b'), drained('o-1', 'a'), drained('o-3', 'q')])).toEqual({
    missing: ['x'],
    foreign: ['q'],
    disordered: ['o-1'],
  })
})
