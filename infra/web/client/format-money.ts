/**
 * `€1,234.50`. The amount stays text: it may exceed what a JavaScript number holds exactly.
 * @param minor amount in minor units of the currency, as text
 * @param locale BCP 47 tag @default en
 */
export function formatMoney(minor: string | null, currency: string | null, locale = 'en'): string {
  if (minor === null || currency === null || !/^-?\d+$/.test(minor)) return '–'
  const format = formatOf(currency, locale)
  if (!format) return `${minor} ${currency}`
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2
  const sign = minor.startsWith('-') ? '-' : ''
  const padded = minor.replace('-', '').padStart(digits + 1, '0')
  const whole = padded.slice(0, padded.length - digits)
  const decimal = digits > 0 ? `${sign}${whole}.${padded.slice(-digits)}` : `${sign}${whole}`
  return format.format(decimal as unknown as number) // Formats decimal text exactly
}

function formatOf(currency: string, locale: string): Intl.NumberFormat | undefined {
  try {
    return new Intl.NumberFormat(locale, { style: 'currency', currency })
  } catch {
    return undefined // Not an ISO 4217 code
  }
}
