const hours = { morning: [9, 12], afternoon: [13, 17] } as const

/** The window of the next working day (Monday to Friday, UTC) after `time`; all values UTC epoch ms. */
export function pickupWindow(time: number, half: keyof typeof hours): { from: number; until: number } {
  const day = new Date(time)
  do day.setUTCDate(day.getUTCDate() + 1)
  while (day.getUTCDay() === 0 || day.getUTCDay() === 6)
  const [from, until] = hours[half]
  return { from: day.setUTCHours(from, 0, 0, 0), until: day.setUTCHours(until, 0, 0, 0) }
}
