import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { AnswerInput, Batch, RecordInput } from '../model.ts'
import { splitBatch } from './split-batch.ts'

const input = (offset: number) => ({ source: 'record', offset, key: `k${offset}` }) as RecordInput

type Records = Extract<Batch, { source: 'record' }>

const batches = fc
  .tuple(fc.nat(1_000), fc.array(fc.constantFrom('input', 'ignored', 'hole'), { minLength: 2, maxLength: 40 }))
  .filter(([, kinds]) => kinds.filter((kind) => kind === 'input').length >= 2)
  .map(([from, kinds]): Records => {
    const count = (wanted: string) => kinds.filter((kind) => kind === wanted).length
    return {
      source: 'record',
      inputs: kinds.flatMap((kind, index) => (kind === 'input' ? [input(from + index)] : [])),
      move: { topic: 't', from, to: from + kinds.length, ignored: count('ignored'), holes: count('hole') },
    }
  })

test('halves cover the same offsets and count the same', () => {
  fc.assert(
    fc.property(batches, (batch) => {
      const [head, tail] = splitBatch(batch) as [Records, Records]
      expect(head.inputs.length).toBeGreaterThan(0)
      expect([...head.inputs, ...tail.inputs]).toEqual(batch.inputs)
      expect([head.move.from, head.move.to, tail.move.to]).toEqual([batch.move.from, tail.move.from, batch.move.to])
      expect(head.move.ignored + tail.move.ignored).toBe(batch.move.ignored)
      expect(head.move.holes + tail.move.holes).toBe(batch.move.holes)
      for (const { inputs, move } of [head, tail]) {
        // The check the ledger's table makes: every offset has become something
        expect(move.to - move.from).toBe(inputs.length + move.ignored + move.holes)
        expect(Math.min(move.ignored, move.holes)).toBeGreaterThanOrEqual(0)
        for (const { offset } of inputs) expect(offset >= move.from && offset < move.to).toBe(true)
      }
    }),
  )
})

test('halves of a redelivery are redeliveries', () => {
  const redelivered = batches.map((batch): Records => ({ ...batch, move: { ...batch.move, again: true } }))
  fc.assert(
    fc.property(redelivered, (batch) => {
      const parts: Records[] = [batch]
      for (let part = parts.pop(); part; part = parts.pop()) {
        expect(part.move.again).toBe(true)
        if (part.inputs.length > 1) parts.push(...(splitBatch(part) as [Records, Records]))
      }
    }),
  )
})

test('answers are halved in order', () => {
  const inputs = ['a', 'b', 'c'].map((id) => ({ source: 'answer', id }) as AnswerInput)
  const [head, tail] = splitBatch({ source: 'answer', inputs })
  expect([...head.inputs, ...tail.inputs]).toEqual(inputs)
})
