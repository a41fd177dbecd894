import type { OrderStatus } from '../../../orders-api/http/contract.ts'
import { useWords } from '../texts/texts.tsx'

const tones = { completed: ['ok', '✓'], cancelled: ['quiet', '–'], rejected: ['bad', '✕'] } as const

/** The state of an order, told by word, sign and colour; `undefined`: not known. */
export function OrderState({ status }: { status: OrderStatus['status'] | undefined }) {
  const { t } = useWords()
  if (status === undefined) return <span className="pill quiet">?</span>
  const [tone, sign] = tones[status as keyof typeof tones] ?? ['busy', '●']
  return (
    <span className={`pill ${tone}`}>
      <span aria-hidden="true">{sign}</span>
      {t.states[status]}
    </span>
  )
}
