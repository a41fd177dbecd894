/**
 * Repeats `length` bytes written `distance` before `position`: what both LZ formats are made of. The copy may overlap itself.
 * @returns the position behind it
 * @throws RangeError if it begins before, or ends behind, the buffer
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
 * Copies `length` bytes as they are.
 * @throws RangeError if they are not there, or have no room
 */
export function copyBytes(source: Buffer, from: number, length: number, target: Buffer, position: number): number {
  if (!(from + length <= source.length && position + length <= target.length)) {
    throw new RangeError('bytes announced that are not there')
  }
  return position + source.copy(target, position, from, from + length)
}
