export interface Label {
  carrier: string
  trackingNumber: string
  orderId: string
  shipTo: { recipient: string; street: string; city: string; postalCode: string; country: string }
  units: number
}

/** A shipping label as an SVG image. */
export function renderLabel({ carrier, trackingNumber, orderId, shipTo, units }: Label): string {
  const address = [shipTo.recipient, shipTo.street, `${shipTo.postalCode} ${shipTo.city}`.trim(), shipTo.country]
  const texts = [
    text(36, 14, `${carrier} · ${units} ${units === 1 ? 'unit' : 'units'}`),
    text(56, 12, `order ${orderId}`),
    ...address.map((line, index) => text(90 + index * 28, 22, line)),
    text(292, 20, trackingNumber),
  ]
  return [
    '<svg xmlns="http://www.w3.org/2000/svg" width="420" height="310" font-family="sans-serif">',
    '<rect x="1" y="1" width="418" height="308" rx="8" fill="#fff" stroke="#000"/>',
    ...texts,
    bars(trackingNumber),
    '</svg>',
  ].join('\n')
}

const text = (y: number, size: number, value: string) =>
  `<text x="24" y="${y}" font-size="${size}">${escape(value)}</text>`

/** One bar per bit of the characters: looks like a barcode, follows no standard. */
function bars(value: string): string {
  const bits = Array.from(value, (character) => character.charCodeAt(0).toString(2).padStart(7, '0')).join('')
  const path = Array.from(bits, (bit, index) => (bit === '1' ? `M${24 + index * 4} 210v60` : '')).join('')
  return `<path d="${path}" stroke="#000" stroke-width="3"/>`
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const escape = (value: string) => value.replace(/[&<>"']/g, (character) => entities[character] ?? '')
