const weights = [8, 6, 4, 2, 3, 5, 9, 7]

/** The carrier's nth number, written as UPU S10 asks for: service, eight digits, check digit, country. */
export function trackingNumber(serial: number): string {
  const digits = String(serial).padStart(8, '0')
  const sum = weights.reduce((total, weight, index) => total + weight * Number(digits[index]), 0)
  const check = 11 - (sum % 11)
  return `TL${digits}${check === 10 ? 0 : check === 11 ? 5 : check}XX`
}
