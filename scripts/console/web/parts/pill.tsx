type Tone = 'ok' | 'warn' | 'bad' | 'busy' | 'quiet'

const tones: Readonly<Record<string, Tone>> = {
  completed: 'ok',
  handled: 'ok',
  duplicate: 'quiet',
  live: 'ok',
  done: 'ok',
  holds: 'ok',
  cancelled: 'quiet',
  rejected: 'bad',
  parked: 'bad',
  operator: 'bad',
  stopped: 'bad',
  silent: 'bad',
  unowned: 'bad',
  failed: 'bad',
  unreadable: 'bad',
  violated: 'bad',
  paused: 'warn',
  unattended: 'bad',
  undone: 'quiet',
  pausing: 'warn',
  waiting: 'warn',
  unread: 'warn',
  dropped: 'quiet',
  unknown: 'quiet',
}

/** The tone of a state's word. Orders on their way and everything new are `busy`. */
const toneOf = (state: string): Tone => tones[state] ?? 'busy'

const signs = { ok: '✓', warn: '!', bad: '✕', busy: '●', quiet: '–' } as const

/** A state, told by word, sign and colour. */
export function Pill({ state }: { state: string }) {
  const tone = toneOf(state)
  return (
    <span className={`pill ${tone}`}>
      <span aria-hidden="true">{signs[tone]}</span>
      {state}
    </span>
  )
}
