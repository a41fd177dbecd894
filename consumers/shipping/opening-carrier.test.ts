import { expect, test } from '@jest/globals'
import { openText, sealingKey } from '../../infra/security/sealed-text.ts'
import { sealEvent } from '../../schemas/personal-data.ts'
import { shipTo } from '../testing/events.ts'
import type { MakeOptions } from '../runtime/handler.ts'
import type { ShipmentAnswer, ShipmentRequest } from './carrier.ts'
import { openingCarrier } from './opening-carrier.ts'

const key = sealingKey(1, 'c-1', Buffer.alloc(32))
const options = { idempotencyKey: 'k', signal: new AbortController().signal, pool: {} } as MakeOptions
const sealed = sealEvent(key, 'OrderPlaced', {
  ...{ orderId: 'o-1', customerId: 'c-1', currency: 'EUR', lines: [], totalMinor: 0, placedAt: 0 },
  shipTo,
}).shipTo
const refusal = { outcome: 'refused', code: 'no_route', detail: `No way to ${shipTo.city}`, refusedAt: 1 } as const

/** A carrier that notes what it is asked, and a table with or without the key. */
function setUp(answer: ShipmentAnswer, forgotten = false) {
  const asked: ShipmentRequest[] = []
  const schedule = async (request: ShipmentRequest) => (asked.push(request), answer)
  const open = async (_db: unknown, texts: readonly string[]) => {
    if (!texts.some((text) => text.startsWith('sealed'))) return { texts, key: undefined }
    return forgotten ? undefined : { texts: texts.map((text) => openText(key, text)), key }
  }
  return { asked, make: openingCarrier({ schedule }, { open }) }
}

test('the carrier gets the address in clear, and what it says of it comes back sealed', async () => {
  const { asked, make } = setUp(refusal)
  const answer = await make({ orderId: 'o-1', shipTo: sealed, units: 2 }, options)
  expect(asked).toEqual([{ orderId: 'o-1', shipTo, units: 2 }])
  expect(answer).toMatchObject({ outcome: 'refused', code: 'no_route' })
  expect('detail' in answer && openText(key, answer.detail)).toBe(refusal.detail)
})

test('an address from before there were keys goes as it is; what the carrier says of it is left out', async () => {
  const { asked, make } = setUp(refusal)
  expect(await make({ orderId: 'o-1', shipTo, units: 2 }, options)).toEqual({ ...refusal, detail: '' })
  expect(asked).toEqual([{ orderId: 'o-1', shipTo, units: 2 }])
})

test('an order of a forgotten customer is refused, and the carrier is not asked', async () => {
  const { asked, make } = setUp(refusal, true)
  expect(await make({ orderId: 'o-1', shipTo: sealed, units: 2 }, options)).toMatchObject({
    ...{ outcome: 'refused', code: 'customer_forgotten', detail: '' },
  })
  expect(asked).toEqual([])
})
