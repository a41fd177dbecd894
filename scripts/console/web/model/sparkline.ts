/** A line through values at equal distances; nulls are gaps. */
export function sparkPath(values: readonly (number | null)[], width: number, height: number): string {
  const most = Math.max(0, ...values.map((value) => value ?? 0))
  const step = values.length > 1 ? width / (values.length - 1) : 0
  let isDown = false
  return values
    .map((value, at) => {
      if (value === null) {
        isDown = false
        return ''
      }
      const y = most === 0 ? height - 1 : height - 1 - (value / most) * (height - 2)
      const part = `${isDown ? 'L' : 'M'}${(at * step).toFixed(1)} ${y.toFixed(1)}`
      isDown = true
      return part
    })
    .join('')
}
