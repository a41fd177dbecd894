const earliest = Date.UTC(1980, 0, 1)
const latest = Date.UTC(2100, 0, 1)

/** Whether a number is a plausible event time in UTC epoch milliseconds: from 1980 to 2099. */
export const isPlausibleTime = (ms: number): boolean => Number.isInteger(ms) && ms >= earliest && ms < latest
