import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { seededRandom } from '../../../producers/sample-data/seeded.ts'

export interface ShopFile {
  path: string
  source: string
  currency: string
  orders: number
  units: number
  /** Minor units. */
  minor: number
}

const shops = [
  { source: 'euro', currency: 'EUR', digits: 2, separator: ';', end: '\r\n' },
  { source: 'dollar', currency: 'USD', digits: 2, separator: ',', end: '\n' },
  { source: 'yen', currency: 'JPY', digits: 0, separator: '\t', end: '\r' },
]

/**
 * Writes one orders file per currency in the shape of a shop's export: order fields in the first row only, amounts taken off
 * lines, articles repeated within an order. The sums are added up here, in integers and without code of the import.
 */
export function writeShopFiles(folder: string, total: number): ShopFile[] {
  return shops.map(({ source, currency, digits, separator, end }, shop) => {
    const random = seededRandom('shop-files', source)
    const orders = Math.ceil(total / shops.length)
    const rows = [
      [
        'Name',
        'Email',
        'Created at',
        'Lineitem sku',
        'Lineitem quantity',
        'Lineitem price',
        'Lineitem discount',
        'Shipping Name',
        'Shipping Street',
        'Shipping City',
        'Shipping Zip',
        'Shipping Country',
      ],
    ]
    let [units, minor] = [0, 0]
    const money = (amount: number) =>
      digits === 0 ? String(amount) : `${Math.floor(amount / 100)}.${String(amount % 100).padStart(2, '0')}`
    for (let n = 0; n < orders; n++) {
      const lines = random.int(1, 4)
      for (let at = 0; at < lines; at++) {
        const quantity = random.int(1, 5)
        const price = random.int(100, 9_999)
        const discount = random.int(0, 3) === 0 ? random.int(0, price) : 0
        units += quantity
        minor += price * quantity - discount
        const order = at === 0 ? [`c${n}@example.com`, '2026-03-01 10:00:00 -0500'] : ['', '']
        const address = at === 0 ? [`Customer ${n}`, `Quay ${n}`, 'Cork', 'T12', 'IE'] : ['', '', '', '', '']
        const sku = `S${shop}-${random.int(1, 20)}` // Of few articles: one in five orders has one twice
        rows.push([`#${n}`, ...order, sku, String(quantity), money(price), money(discount), ...address])
      }
    }
    const path = join(folder, `${source}.csv`)
    writeFileSync(path, rows.map((row) => row.join(separator) + end).join(''))
    return { path, source, currency, orders, units, minor }
  })
}
