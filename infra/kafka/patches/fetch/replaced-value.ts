/** No schema framing begins so, and nobody's text does. */
const mark = Buffer.from('\xff\0tally replaced this value: ', 'latin1')

/** Stands where a record's value cannot be held in memory: the record keeps its place, and its reader hears why. */
export const replacedValue = (why: string): Buffer => Buffer.concat([mark, Buffer.from(why)])

/** Why a value was replaced; undefined for every other value. */
export const whyReplaced = (value: Buffer): string | undefined =>
  value.subarray(0, mark.length).equals(mark) ? value.toString('utf8', mark.length) : undefined
