import { z } from 'zod'
import { createChance } from './chance.ts'
import { renderLabel } from './label.ts'
import type { Label } from './label.ts'
import { operation, startSimulator } from './simulator.ts'
import type { RunningSimulator, SimulatorOptions } from './simulator.ts'
import { pickupWindow, trackingNumber } from './booking.ts'

const shipment = z.object({
  orderId: z.string().min(1),
  shipTo: z.object({
    recipient: z.string(),
    street: z.string(),
    city: z.string(),
    postalCode: z.string(),
    country: z.string(),
  }),
  units: z.int().positive(),
})

const carrier = 'Tally Parcel'

/** The carrier: sells labels and agrees pickups. Refuses `refuseRate` of the addresses. */
export function startCarrier(options: SimulatorOptions & { refuseRate: number }): Promise<RunningSimulator> {
  const chance = createChance(options.seed)
  const labels = new Map<string, Label>()

  return startSimulator(
    {
      name: 'carrier',
      operations: [
        operation('/shipments', shipment, (request, { key, time, url }) => {
          const about = { operation: 'schedule', orderId: request.orderId, units: request.units }
          if (chance.uniform(key, 'refuse') < options.refuseRate) {
            const detail = `No delivery to ${request.shipTo.city}, ${request.shipTo.country}`
            return { about, status: 422, answer: { code: 'undeliverable_address', detail, refusedAt: time } }
          }
          const number = trackingNumber(labels.size + 1)
          const { from, until } = pickupWindow(time, chance.uniform(key, 'pickup') < 0.5 ? 'morning' : 'afternoon')
          return {
            about: { ...about, trackingNumber: number },
            status: 201,
            answer: {
              carrier,
              trackingNumber: number,
              labelUrl: `${url}/labels/${number}`,
              pickupFrom: from,
              pickupUntil: until,
              scheduledAt: time,
            },
          }
        }),
      ],
      apply({ about, request, status }) {
        if (status >= 400) return
        const { orderId, shipTo, units } = request as z.infer<typeof shipment>
        const number = String(about.trackingNumber)
        labels.set(number, { carrier, trackingNumber: number, orderId, shipTo, units })
      },
      pages(app) {
        app.get('/labels/:trackingNumber', (request, response, next) => {
          const label = labels.get(request.params.trackingNumber)
          if (label) response.type('image/svg+xml').send(renderLabel(label))
          else next()
        })
      },
    },
    options,
  )
}
