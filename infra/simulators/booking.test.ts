import { expect, test } from '@jest/globals'
import { pickupWindow, trackingNumber } from './booking.ts'

test('the check digit is that of UPU S10', () => {
  expect(trackingNumber(47312482)).toBe('TL473124829XX') // The standard's own example
  expect(trackingNumber(1)).toMatch(/^TL00000001\dXX$/)
})

const iso = ({ from, until }: { from: number; until: number }) => [from, until].map((ms) => new Date(ms).toISOString())

test.each([
  ['a Thursday', '2026-11-19T23:59:59.999Z', '2026-11-20'],
  ['a Friday', '2026-11-20T08:00:00.000Z', '2026-11-23'],
  ['a Saturday', '2026-11-21T08:00:00.000Z', '2026-11-23'],
  ['a Sunday', '2026-11-22T08:00:00.000Z', '2026-11-23'],
  ['the last day of a year', '2026-12-31T12:00:00.000Z', '2027-01-01'],
])('a shipment booked on %s is picked up on the next working day', (_, booked, day) => {
  const time = Date.parse(booked)
  expect(iso(pickupWindow(time, 'morning'))).toEqual([`${day}T09:00:00.000Z`, `${day}T12:00:00.000Z`])
  expect(iso(pickupWindow(time, 'afternoon'))).toEqual([`${day}T13:00:00.000Z`, `${day}T17:00:00.000Z`])
})
