import { seededRandom } from './seeded.ts'
import type { Random } from './seeded.ts'

export interface Article {
  sku: string
  name: string
  unitPriceMinor: number
  currency: 'EUR'
  /** Units of the first delivery. */
  initialStock: number
}

export const catalogueSize = 200

const materials = ['Oak', 'Linen', 'Steel', 'Cork', 'Glass', 'Wool', 'Copper', 'Slate', 'Bamboo', 'Leather'] as const
// biome-ignore format: a list
const articles = [
  'Lamp', 'Kettle', 'Stool', 'Tray', 'Bowl', 'Clock', 'Shelf', 'Apron', 'Vase', 'Basket',
  'Board', 'Mug', 'Cushion', 'Mirror', 'Hook', 'Bench', 'Carafe', 'Blanket', 'Crate', 'Frame',
] as const

/** One article in this many is nearly sold out, so that a demo also shows rejected orders. */
const scarceEvery = 50

/** The articles of generated orders, most popular first. The same seed gives the same articles. */
export const demoCatalogue = (seed: number = 1): readonly Article[] =>
  Array.from({ length: catalogueSize }, (_, index) => {
    const random = seededRandom('catalogue', seed, index)
    return {
      sku: `T-${String(index + 1).padStart(4, '0')}`,
      name: `${materials[index % materials.length]} ${articles[Math.floor(index / materials.length)]}`,
      unitPriceMinor: priceMinor(random),
      currency: 'EUR',
      initialStock: index % scarceEvery === scarceEvery - 1 ? random.int(3, 9) : Math.round(50_000 / (index + 5)) * 10,
    }
  })

/** Between 2.95 and 400 euros, mostly low, ending in 95 or 00 cents. */
const priceMinor = (random: Random): number => Math.ceil(3 * 133 ** random.next()) * 100 - random.pick([0, 5])
