import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { headerName } from './record.ts'

test('a name is the text of its bytes, whatever came before', () => {
  const name = fc.oneof(fc.constantFrom('ce_id', 'ce_ie', 'ce_type', ''), fc.string({ unit: 'binary', maxLength: 80 }))
  fc.assert(
    fc.property(fc.array(name, { maxLength: 200 }), fc.nat(5), (names, before) => {
      for (const each of names) {
        const bytes = Buffer.from(`${'x'.repeat(before)}${each}y`)
        expect(headerName(bytes, before, bytes.length - 1)).toBe(bytes.toString('utf8', before, bytes.length - 1))
      }
    }),
  )
})
