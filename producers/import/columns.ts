import { TallyError } from '../../infra/errors.ts'
import { didYouMean } from '../../infra/closest-names.ts'
import { readTextFile } from '../../infra/text/read-text.ts'

/** What an import reads of a row of orders. Fields of the order may stand in its first row only. */
export const orderFields = [
  'order',
  'customer',
  'currency',
  'placedAt',
  'status',
  'cancelledAt',
  'recipient',
  'street',
  'city',
  'postalCode',
  'country',
] as const
export const lineFields = ['sku', 'quantity', 'price', 'discount', 'discountAmount', 'amount'] as const
export type Field = (typeof orderFields)[number] | (typeof lineFields)[number]
const fields: readonly Field[] = [...orderFields, ...lineFields]

/** The columns of each field; the first one that has a value counts. */
export type Columns = Readonly<Partial<Record<Field, readonly string[]>>>

export const presets = {
  northwind: {
    order: ['OrderID'],
    customer: ['CustomerID'],
    placedAt: ['OrderDate'],
    recipient: ['ShipName'],
    street: ['ShipAddress'],
    city: ['ShipCity'],
    postalCode: ['ShipPostalCode'],
    country: ['ShipCountry'],
    sku: ['ProductID'],
    quantity: ['Quantity'],
    price: ['UnitPrice'],
    discount: ['Discount'],
  },
  /** Orders → Export in the admin of a shop. `Lineitem discount` is the amount taken off the whole line. */
  shopify: {
    order: ['Name'],
    customer: ['Email', 'Phone', 'Billing Name'],
    currency: ['Currency'],
    placedAt: ['Created at'],
    cancelledAt: ['Cancelled at'],
    recipient: ['Shipping Name', 'Billing Name'],
    street: ['Shipping Street', 'Shipping Address1', 'Billing Street'],
    city: ['Shipping City', 'Billing City'],
    postalCode: ['Shipping Zip', 'Billing Zip'],
    country: ['Shipping Country', 'Billing Country'],
    sku: ['Lineitem sku', 'Lineitem name'],
    quantity: ['Lineitem quantity'],
    price: ['Lineitem price'],
    discountAmount: ['Lineitem discount'],
  },
  /** Customer/Order/Coupon Export, one row per item; second names: Advanced Order Export. Amounts are after discounts. */
  woocommerce: {
    order: ['order_number', 'order_id', 'Order Number'],
    customer: ['customer_id', 'billing_email', 'Email (Billing)'],
    currency: ['order_currency', 'currency'],
    placedAt: ['order_date', 'date', 'Order Date'],
    status: ['status', 'order_status', 'Order Status'],
    recipient: ['shipping_first_name+shipping_last_name', 'billing_first_name+billing_last_name'],
    street: ['shipping_address_1', 'billing_address_1'],
    city: ['shipping_city', 'billing_city'],
    postalCode: ['shipping_postcode', 'billing_postcode'],
    country: ['shipping_country', 'billing_country'],
    sku: ['item_sku', 'item_name', 'SKU'],
    quantity: ['item_quantity', 'Quantity'],
    amount: ['item_total', 'Order Line Total'],
  },
} as const satisfies Record<string, Columns>

const isPreset = (name: string): name is keyof typeof presets => Object.hasOwn(presets, name)

/**
 * Reads `shopify`, `order=Name,sku=Code|Article`, `shopify,customer=Phone`, or the path of a file with one `field=column` or
 * preset per line. Without `=` or a preset a text is a path.
 * @throws TallyError USAGE
 */
export function parseColumns(text: string): Columns {
  const parts = text.split(',').map((part) => part.trim())
  const isList = parts.every((part) => part.includes('=') || isPreset(part))
  const entries = isList
    ? parts
    : readTextFile(text)
        .split(/\r\n|\n|\r/)
        .filter((line) => line.trim() !== '' && !line.startsWith('#'))
  let columns: Columns = {}
  for (const entry of entries) {
    const preset = entry.trim()
    if (isPreset(preset)) columns = { ...columns, ...presets[preset] }
    else columns = { ...columns, ...parseEntry(entry) }
  }
  const lacking = (['order', 'customer', 'sku', 'quantity'] as const).filter((field) => !columns[field])
  if (!columns.price && !columns.amount)
    return refuse(`name the column of the price: price=…, or amount=… for the whole line`)
  return lacking.length === 0 ? columns : refuse(`name the column of ${lacking.join(', ')}, such as ${lacking[0]}=…`)
}

function parseEntry(entry: string): Columns {
  const [name = '', ...rest] = entry.split('=')
  const field = fields.find((each) => each === name.trim())
  const names = rest
    .join('=')
    .split('|')
    .map((column) => column.trim())
    .filter((column) => column !== '')
  if (!field)
    return refuse(`there is no field ${name.trim()}.${didYouMean(name.trim(), fields)} Fields are ${fields.join(', ')}`)
  return names.length > 0 ? { [field]: names } : refuse(`${field}= names no column`)
}

function refuse(reason: string): never {
  throw new TallyError('USAGE', `--columns: ${reason}`)
}
