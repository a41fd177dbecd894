/**
 * Copies the `length` bytes that lie `distance` before `position` to `position`; they may overlap, which repeats them.
 * @returns the position after the copy
 * @throws RangeError if the bytes lie before the start, or if there is no room
 */
export function repeatBytes(bytes: Buffer, position: number, distance: number, length: number): number {
  const from = position - distance
  const end = position + length
  if (!(distance > 0 && from >= 0 && end <= bytes.length)) throw new RangeError('a repetition out of bounds')
  if (distance >= length) bytes.copyWithin(position, from, from + length)
  else for (let i = 0; i < length; i++) bytes[position + i] = bytes[from + i]!
  return end
}

/**
 * Copies `length` bytes unchanged.
 * @returns the position after the copy
 * @throws RangeError if the source is too short, or if there is no room
 */
export function copyBytes(source: Buffer, from: number, length: number, target: Buffer, position: number): number {
  if (!(from + length <= source.length && position + length <= target.length))
    throw new RangeError('the block is shorter than its lengths say')
  return position + source.copy(target, position, from, from + length)
}
