/** No framed value and no UTF-8 text begins with these bytes. */
const mark = Buffer.from('\xff\0tally replaced this value: ', 'latin1')

/** Replaces a record's value that is too large for memory: the record keeps its place, and its reader learns why. */
export const replacedValue = (why: string): Buffer => Buffer.concat([mark, Buffer.from(why)])

/** Why a value was replaced; undefined for every other value. */
export const whyReplaced = (value: Buffer): string | undefined =>
  value.subarray(0, mark.length).equals(mark) ? value.toString('utf8', mark.length) : undefined
