import type { Address, OrderLine, OrderPlaced } from '../../schemas/generated/events.ts'
import { demoCatalogue } from './demo-catalogue.ts'
import type { Article } from './demo-catalogue.ts'
import { seededId, seededRandom, zipf } from './seeded.ts'
import type { Random } from './seeded.ts'

const customers = 5_000

/** Generated orders begin here, one every seven seconds, so that the same order always has the same content. */
const firstOrderAt = Date.UTC(2026, 0, 5, 6)
const orderEveryMs = 7_000

/** UTC epoch ms of the order at an index. */
export const placedAtOf = (index: number): number => firstOrderAt + index * orderEveryMs

export const orderIdOf = (seed: number, index: number): string => seededId('order', seed, index)

/**
 * The orders of a seed, by index: a few regular customers and popular articles, many rare ones, one to five lines, prices
 * of the catalogue. A pure function, so producing an order twice produces a duplicate.
 * @param catalogue most popular first
 */
export function orderGenerator(
  seed: number,
  catalogue: readonly Article[] = demoCatalogue(),
): (index: number) => OrderPlaced {
  const popularCustomer = zipf(customers, 0.7)
  const popularArticle = zipf(catalogue.length, 0.9)

  const linesOf = (random: Random): OrderLine[] => {
    const wanted = Math.min(lineCount(random), catalogue.length)
    const ranks = new Set<number>()
    while (ranks.size < wanted) ranks.add(popularArticle(random))
    return [...ranks]
      .flatMap((rank) => catalogue[rank] ?? [])
      .map(({ sku, unitPriceMinor }) => {
        const quantity = Math.min(12, 1 + Math.floor(-Math.log(1 - random.next())))
        return { sku, quantity, unitPriceMinor, amountMinor: quantity * unitPriceMinor }
      })
  }

  return (index) => {
    const random = seededRandom('order', seed, index)
    const customer = popularCustomer(random)
    const lines = linesOf(random)
    return {
      orderId: orderIdOf(seed, index),
      customerId: `C-${String(customer + 1).padStart(5, '0')}`,
      currency: 'EUR',
      lines,
      totalMinor: lines.reduce((sum, line) => sum + line.amountMinor, 0),
      shipTo: addressOf(customer),
      placedAt: placedAtOf(index),
    }
  }
}

/** Four orders in ten have one line, one in twenty has five. */
function lineCount(random: Random): number {
  const share = random.next()
  return 1 + [0.4, 0.7, 0.87, 0.95].filter((upTo) => share >= upTo).length
}

const given = [
  'Ada',
  'Bram',
  'Chiara',
  'Dimitri',
  'Elif',
  'Fionn',
  'Greta',
  'Hugo',
  'Ines',
  'Jonas',
  'Katya',
  'Luca',
] as const
const family = [
  'Aalto',
  'Bellini',
  'Costa',
  'Dubois',
  'Ekström',
  'Fischer',
  'Goossens',
  'Hansen',
  'Ivanova',
  'Kowalski',
] as const
const streets = [
  'Station Road',
  'Rue des Lilas',
  'Lindenstraße',
  'Via Roma',
  'Calle Mayor',
  'Kerkstraat',
  'Storgatan',
] as const
const towns = [
  { city: 'Lyon', postal: '6900', country: 'France' },
  { city: 'Bremen', postal: '2819', country: 'Germany' },
  { city: 'Ghent', postal: '900', country: 'Belgium' },
  { city: 'Bologna', postal: '4012', country: 'Italy' },
  { city: 'Seville', postal: '4100', country: 'Spain' },
  { city: 'Utrecht', postal: '351', country: 'Netherlands' },
  { city: 'Uppsala', postal: '7532', country: 'Sweden' },
  { city: 'Graz', postal: '801', country: 'Austria' },
] as const

/** A customer has the same address for every seed. */
function addressOf(customer: number): Address {
  const random = seededRandom('customer', customer)
  const { city, postal, country } = random.pick(towns)
  return {
    recipient: `${random.pick(given)} ${random.pick(family)}`,
    street: `${random.pick(streets)} ${random.int(1, 180)}`,
    city,
    postalCode: `${postal}${random.int(1, 9)}`,
    country,
  }
}
