const weights = [8, 6, 4, 2, 3, 5, 9, 7]

/** The carrier's tracking number for its nth label, in the format of UPU S10: service, eight digits, check digit, country. */
export function trackingNumber(serial: number): string {
  const digits = String(serial).padStart(8, '0')
  const sum = weights.reduce((total, weight, index) => total + weight * Number(digits[index]), 0)
  const check = 11 - (sum % 11)
  return `TL${digits}${check === 10 ? 0 : check === 11 ? 5 : check}XX`
}

const hours = { morning: [9, 12], afternoon: [13, 17] } as const

/** The window of the next working day (Monday to Friday, UTC) after `time`; all values UTC epoch ms. */
export function pickupWindow(time: number, half: keyof typeof hours): { from: number; until: number } {
  const day = new Date(time)
  do day.setUTCDate(day.getUTCDate() + 1)
  while (day.getUTCDay() === 0 || day.getUTCDay() === 6)
  const [from, until] = hours[half]
  return { from: day.setUTCHours(from, 0, 0, 0), until: day.setUTCHours(until, 0, 0, 0) }
}
