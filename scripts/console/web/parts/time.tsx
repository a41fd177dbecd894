import { useEffect, useState } from 'react'
import { clockTime, dayOf, fullTime, relative } from '../model/format-time.ts'

/** A time of the clock; the date and the zone are in its title. */
export const Clock = ({ at }: { at: string }) => (
  <time dateTime={at} title={fullTime(at)}>
    {clockTime(at)}
  </time>
)

/** A date and a time. */
export const DateAndClock = ({ at }: { at: string }) => (
  <time dateTime={at} title={fullTime(at)}>
    {dayOf(at)} {clockTime(at).slice(0, 8)}
  </time>
)

/** `4 min ago`. */
export function Ago({ at }: { at: string }) {
  const now = useNow(5_000)
  return (
    <time dateTime={at} title={fullTime(at)}>
      {relative(at, now)}
    </time>
  )
}

/** The time, renewed now and then. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs)
    return () => clearInterval(timer)
  }, [everyMs])
  return now
}
