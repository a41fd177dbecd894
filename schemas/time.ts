const earliest = Date.UTC(1980, 0, 1)
const latest = Date.UTC(2100, 0, 1)

/** Whether a number can be the UTC epoch milliseconds of something that happened to an order: from 1980 to 2099. */
export const isPlausibleTime = (ms: number): boolean => Number.isInteger(ms) && ms >= earliest && ms < latest
